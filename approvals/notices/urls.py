"""Addresses of the offices' pages, and of the public site under its own name."""

from django.urls import include, path

from approvals.notices import public, views
from approvals.notices.announcements import views as announcements
from approvals.notices.archive import views as archive
from approvals.notices.objections import public as objecting
from approvals.notices.objections import views as objections
from approvals.notices.site import views as site_views

offices = [
    path("", views.notice_list, name="list"),
    path("new/", views.draft, name="draft"),
    path("announcements/", announcements.announcement_list, name="announcements"),
    path("announcements/new/", announcements.new, name="announcement_new"),
    path("announcements/<int:announcement_id>/", announcements.detail, name="announcement"),
    path("announcements/<int:announcement_id>/edit/", announcements.edit, name="announcement_edit"),
    path("announcements/<int:announcement_id>/submit/", announcements.submit, name="announcement_submit"),
    path("announcements/<int:announcement_id>/publish/", announcements.publish, name="announcement_publish"),
    path("announcements/<int:announcement_id>/send-back/", announcements.send_back, name="announcement_send_back"),
    path("announcements/<int:announcement_id>/withdraw/", announcements.withdraw, name="announcement_withdraw"),
    path("announcements/<int:announcement_id>/discard/", announcements.discard, name="announcement_discard"),
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
    path("explanation/", site_views.explanation, name="explanation"),
    path("programmes/", site_views.policies, name="policies"),
    path("programmes/<slug:code>/", site_views.policy, name="policy"),
    path("programmes/<slug:code>/check/", site_views.self_check, name="self_check"),
    path("results/", site_views.results, name="results"),
    path("announcements/", site_views.announcement_list, name="announcements"),
    path("announcements/<slug:public_id>/", site_views.announcement, name="announcement"),
    path("feed.xml", site_views.feed, name="feed"),
    path("sitemap.xml", site_views.sitemap, name="sitemap"),
    path("record/", public.heads, name="heads"),
    path("record/heads.json", public.heads_json, name="heads_json"),
    path("record/head.txt", public.head, name="newest_head"),
    path("record/head-<int:size>.txt", public.head, name="head"),
    path("notices/<slug:public_id>/list.pdf", public.pdf, name="pdf"),
    path("notices/<slug:public_id>/object/", objecting.object_to, name="object"),
    path("objections/", objecting.follow, name="follow"),
    path("objections/appeal/", objecting.appeal, name="appeal"),
    path("<path:address>", public.nothing, name="nothing"),
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
    path("robots.txt", site_views.robots, name="robots"),
]
