from django.urls import path
from docs import views

urlpatterns = [path("docs/<path:name>", views.download)]
