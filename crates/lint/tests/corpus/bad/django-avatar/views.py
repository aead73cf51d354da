import urllib.request
from django.http import HttpResponse


def avatar(request):
    address = request.GET["url"]
    with urllib.request.urlopen(address) as response:
        return HttpResponse(response.read(), content_type="image/png")
