from django.urls import path

from approvals.organisations import account_views, views

app_name = "organisations"
urlpatterns = [
    path("posts/", views.posts, name="posts"),
    path("posts/new/", views.appoint, name="appoint"),
    path("posts/<int:post_id>/end/", views.end, name="end"),
    path("posts/<int:post_id>/deputy/", views.deputise, name="deputise"),
    path("posts/proposals/", views.proposals, name="proposals"),
    path("posts/proposals/decide/", views.decide, name="decide_proposals"),
    path("posts/history/", views.history, name="history"),
    path("accounts/", account_views.accounts_page, name="accounts"),
    path("accounts/new/", account_views.create, name="account_new"),
    path("accounts/<int:user_id>/", account_views.account, name="account"),
    path("accounts/<int:user_id>/password/", account_views.reset_password, name="account_password"),
    path("accounts/<int:user_id>/close/", account_views.close, name="account_close"),
    path("accounts/<int:user_id>/reopen/", account_views.reopen, name="account_reopen"),
    path("accounts/<int:user_id>/employer/", account_views.employ, name="account_employer"),
    path("accounts/<int:user_id>/leave/", account_views.leave, name="account_leave"),
    path("account/password/", account_views.own_password, name="own_password"),
]
