import urllib.request
from django.http import HttpResponse, HttpResponseBadRequest

BASE = "https://avatars.example.com/"


def avatar(request):
    user = request.GET["user"]
    if not user.isalnum():
        return HttpResponseBadRequest()
    with urllib.request.urlopen(BASE + user) as response:
        return HttpResponse(response.read(), content_type="image/png")
