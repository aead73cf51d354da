from django.db import connection
from django.http import JsonResponse


def report(request, year):
    status = request.GET.get("status", "open")
    query = "SELECT id, total FROM orders WHERE year = %d AND status = '%s'" % (int(year), status)
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()
    return JsonResponse({"rows": rows})
