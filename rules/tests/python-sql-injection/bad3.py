from django.db import connection
def view(request):
    with connection.cursor() as c:
        c.execute('SELECT * FROM t WHERE x = ' + request.GET['x'])
