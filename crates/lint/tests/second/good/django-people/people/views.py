from django.db import connection
from django.http import JsonResponse
from django.views import View

class PeopleView(View):
    def get(self, request):
        name = request.GET.get("name", "")
        return JsonResponse({"people": self.find(name)})

    def find(self, name):
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, name FROM people WHERE name LIKE %s", [f"%{name}%"])
            return [dict(zip(("id", "name"), row)) for row in cursor.fetchall()]
