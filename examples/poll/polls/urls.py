from django.urls import path

from . import views

urlpatterns = [
    path('', views.index, name='index'),
    path('vote/<int:choice_id>/', views.vote, name='vote'),
    path('api/questions/', views.api_questions, name='api_questions'),
    path('api/vote/', views.api_vote, name='api_vote'),
]
