from django.urls import path

from approvals.organisations import account_views, views

app_name = "organisations"
urlpatterns = [
    path("posts/", views.posts, name="posts"),
    path("posts/new/", views.appoint, name="appoint"),
    path("posts/<int:post_id>/revoke/", views.revoke, name="revoke"),
    path("accounts/", account_views.accounts_page, name="accounts"),
    path("accounts/new/", account_views.create, name="account_new"),
    path("accounts/<int:user_id>/", account_views.account, name="account"),
    path("accounts/<int:user_id>/password/", account_views.reset_password, name="account_password"),
    path("accounts/<int:user_id>/close/", account_views.close, name="account_close"),
    path("accounts/<int:user_id>/reopen/", account_views.reopen, name="account_reopen"),
    path("account/password/", account_views.own_password, name="own_password"),
]
