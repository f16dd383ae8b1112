from django.urls import path

from approvals.applications import roster_views as views

urlpatterns = [
    path("rosters/", views.roster_list, name="roster_list"),
    path("rosters/new/", views.roster_upload, name="roster_upload"),
    path("rosters/template.xlsx", views.roster_template, name="roster_template"),
    path("rosters/<int:roster_id>/", views.roster, name="roster"),
    path("rosters/<int:roster_id>/retarget/", views.roster_retarget, name="roster_retarget"),
    path("rosters/<int:roster_id>/confirm/", views.roster_confirm, name="roster_confirm"),
    path("rosters/<int:roster_id>/papers/", views.roster_papers, name="roster_papers"),
    path("rosters/<int:roster_id>/discard/", views.roster_discard, name="roster_discard"),
    path("rosters/<int:roster_id>/errors.xlsx", views.roster_errors, name="roster_errors"),
]
