from django.shortcuts import render
from .models import Post


def titled(request):
    return Post.objects.extra(where=["title = '%s'" % request.GET["title"]])
