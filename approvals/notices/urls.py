"""Addresses of the offices' pages, and of the public site under its own name."""

from django.urls import include, path

from approvals.notices import public, views
from approvals.notices.archive import views as archive
from approvals.notices.objections import public as objecting
from approvals.notices.objections import views as objections

offices = [
    path("", views.notice_list, name="list"),
    path("new/", views.draft, name="draft"),
    path("<int:notice_id>/", views.detail, name="detail"),
    path("<int:notice_id>/find/", views.find, name="find"),
    path("<int:notice_id>/edit/", views.edit, name="edit"),
    path("<int:notice_id>/submit/", views.submit, name="submit"),
    path("<int:notice_id>/publish/", views.publish, name="publish"),
    path("<int:notice_id>/send-back/", views.send_back, name="send_back"),
    path("<int:notice_id>/recall/", views.recall, name="recall"),
    path("<int:notice_id>/pause/", views.pause, name="pause"),
    path("<int:notice_id>/void/", views.void, name="void"),
    path("<int:notice_id>/propose/", views.propose, name="propose"),
    path("<int:notice_id>/conclude/", views.conclude, name="conclude"),
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
    path("notices/<slug:public_id>/object/", objecting.object_to, name="object"),
    path("objections/", objecting.follow, name="follow"),
    path("objections/appeal/", objecting.appeal, name="appeal"),
]
objection_pages = [
    path("", objections.objection_list, name="list"),
    path("<int:objection_id>/", objections.detail, name="detail"),
    path("<int:objection_id>/accept/", objections.accept, name="accept"),
    path("<int:objection_id>/not-accept/", objections.not_accept, name="not_accept"),
    path("<int:objection_id>/refer/", objections.refer, name="refer"),
    path("<int:objection_id>/assign/", objections.assign, name="assign"),
    path("<int:objection_id>/decide/", objections.decide, name="decide"),
    path("<int:objection_id>/identity/", objections.unseal, name="unseal"),
    path("<int:objection_id>/paper/", objections.paper, name="paper"),
]
urlpatterns = [
    path("notices/", include((offices, "notices"))),
    path("objections/", include((objection_pages, "objections"))),
    path("public/", include((site, "public"))),
]
