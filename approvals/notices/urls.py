"""Addresses of the offices' pages, and of the public site under its own name."""

from django.urls import include, path

from approvals.notices import public, views
from approvals.notices.announcements import views as announcements
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
    path("<int:notice_id>/void/", views.void, name="void"),
    path("<int:notice_id>/lines/<int:line_id>/", views.withdraw, name="withdraw"),
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
]
urlpatterns = [
    path("notices/", include((offices, "notices"))),
    path("public/", include((site, "public"))),
    path("robots.txt", site_views.robots, name="robots"),
]
