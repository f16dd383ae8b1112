"""Addresses of the offices' pages, and of the public site under its own name."""

from django.urls import include, path

from approvals.notices import public, views
from approvals.notices.archive import views as archive

offices = [
    path("", views.notice_list, name="list"),
    path("new/", views.draft, name="draft"),
    path("<int:notice_id>/", views.detail, name="detail"),
    path("<int:notice_id>/find/", views.find, name="find"),
    path("<int:notice_id>/edit/", views.edit, name="edit"),
    path("<int:notice_id>/submit/", views.submit, name="submit"),
    path("<int:notice_id>/publish/", views.publish, name="publish"),
    path("<int:notice_id>/send-back/", views.send_back, name="send_back"),
    path("<int:notice_id>/void/", views.void, name="void"),
    path("<int:notice_id>/lines/<int:line_id>/", views.withdraw, name="withdraw"),
    path("<int:notice_id>/archive/", archive.archive, name="archive"),
    path("<int:notice_id>/archive/photos/", archive.add_photo, name="add_photo"),
    path("<int:notice_id>/archive/photos/<int:photo_id>/remove/", archive.remove_photo, name="remove_photo"),
    path("<int:notice_id>/archive/photos/<int:photo_id>/", archive.photo, {"size": "whole"}, name="photo"),
    path("<int:notice_id>/archive/photos/<int:photo_id>/small/", archive.photo, {"size": "small"}, name="thumbnail"),
    path("<int:notice_id>/archive/posting/", archive.posting, name="posting"),
    path("<int:notice_id>/archive/files/", archive.files, name="files"),
    path("<int:notice_id>/archive/list.pdf", archive.pdf, name="pdf"),
    path("<int:notice_id>/archive/package/make/", archive.make_package, name="make_package"),
    path("<int:notice_id>/archive/package.zip", archive.package, name="package"),
]
site = [
    path("", public.notices, name="notices"),
    path("notices/<slug:public_id>/", public.notice, name="notice"),
    path("notices/<slug:public_id>/proof.json", public.proof, name="proof"),
    path("record/", public.heads, name="heads"),
    path("record/heads.json", public.heads_json, name="heads_json"),
    path("record/head.txt", public.head, name="newest_head"),
    path("record/head-<int:size>.txt", public.head, name="head"),
    path("notices/<slug:public_id>/list.pdf", public.pdf, name="pdf"),
]
urlpatterns = [
    path("notices/", include((offices, "notices"))),
    path("public/", include((site, "public"))),
]
