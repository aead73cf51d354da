from django.urls import path
from . import views

urlpatterns = [path("report/<int:year>/", views.report)]
