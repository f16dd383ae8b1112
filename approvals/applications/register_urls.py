from django.urls import path

from approvals.applications import register_views as views

urlpatterns = [
    path("registers/", views.registers, name="registers"),
    path("registers/new/", views.list_upload, name="list_upload"),
    path("registers/kinds/<slug:code>/", views.kind, name="register_kind"),
    path("registers/kinds/<slug:code>/template.xlsx", views.list_template, name="list_template"),
    path("registers/lists/<int:list_id>/", views.register_list, name="register_list"),
    path("registers/lists/<int:list_id>/confirm/", views.list_confirm, name="list_confirm"),
    path("registers/lists/<int:list_id>/discard/", views.list_discard, name="list_discard"),
    path("registers/lists/<int:list_id>/withdraw/", views.list_withdraw, name="list_withdraw"),
    path("registers/match/", views.match_term, name="match_term"),
    path("registers/runs/<int:run_id>/", views.match_run, name="match_run"),
    path("registers/hits/", views.hits, name="hits"),
    path("cases/<int:case_id>/hits/<int:hit_id>/waive/", views.waive, name="waive_hit"),
]
