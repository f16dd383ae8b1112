from django.urls import path

from approvals.awards import views

app_name = "awards"
urlpatterns = [path("awards/", views.award_list, name="list")]
