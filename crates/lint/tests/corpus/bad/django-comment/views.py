from django.shortcuts import render
from django.utils.safestring import mark_safe


def preview(request):
    text = request.POST.get("text", "")
    html = mark_safe("<p>" + text.replace("\n", "<br>") + "</p>")
    return render(request, "preview.html", {"html": html})
