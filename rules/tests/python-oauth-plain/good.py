import os
os.environ['OTHER'] = '1'
