import os
from django.conf import settings
from django.http import FileResponse, Http404
from django.utils._os import safe_join

def download(request, name):
    path = os.path.join(settings.MEDIA_ROOT, "docs", name)
    try:
        return FileResponse(open(path, "rb"), as_attachment=True)
    except FileNotFoundError:
        raise Http404
