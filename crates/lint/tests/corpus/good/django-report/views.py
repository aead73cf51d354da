from django.db import connection
from django.http import JsonResponse


def report(request, year):
    status = request.GET.get("status", "open")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, total FROM orders WHERE year = %s AND status = %s", [year, status])
        rows = cursor.fetchall()
    return JsonResponse({"rows": rows})
