from django.urls import path

from approvals.organisations import views

app_name = "organisations"
urlpatterns = [
    path("posts/", views.posts, name="posts"),
    path("posts/new/", views.appoint, name="appoint"),
    path("posts/<int:post_id>/revoke/", views.revoke, name="revoke"),
]
