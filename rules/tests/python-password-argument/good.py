import os, psycopg2
c = psycopg2.connect(host='db', password=os.environ['PGPASSWORD'])
