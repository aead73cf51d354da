import psycopg2
c = psycopg2.connect(host='db', user='app', password='postgres')
