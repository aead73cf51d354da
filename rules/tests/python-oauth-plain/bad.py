import os
os.environ['OAUTHLIB_INSECURE_TRANSPORT'] = '1'
