"""Addresses of this room."""

from django.urls import path

from approvals.applications import views
from approvals.applications.register_urls import urlpatterns as register_pages
from approvals.applications.roster_urls import urlpatterns as roster_pages

app_name = "applications"
urlpatterns = [
    path("applications/", views.application_list, name="list"),
    path("applications/new/", views.new, name="new"),
    path("applications/submit/", views.submit, name="submit"),
    path("applications/withdraw/", views.withdraw, name="withdraw"),
    path("applications/cancel/", views.cancel, name="cancel"),
    path("applications/<int:case_id>/edit/", views.edit, name="edit"),
    path("applications/<int:case_id>/evidence/", views.evidence_add, name="evidence_add"),
    path("applications/<int:case_id>/evidence/<int:evidence_id>/", views.evidence, name="evidence"),
    path("applications/<int:case_id>/evidence/<int:evidence_id>/file/", views.evidence_file, name="evidence_file"),
    path(
        "applications/<int:case_id>/evidence/<int:evidence_id>/remove/", views.evidence_remove, name="evidence_remove"
    ),
    path("cases/<int:case_id>/form.pdf", views.form_pdf, name="form_pdf"),
    *register_pages,
    *roster_pages,
]
