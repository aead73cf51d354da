from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import mark_safe


def preview(request):
    text = request.POST.get("text", "")
    html = mark_safe("<p>" + escape(text).replace("\n", "<br>") + "</p>")
    return render(request, "preview.html", {"html": html})
