from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET

@require_GET
def leave(request):
    url = request.GET.get("url", "/")
    return redirect(url)
