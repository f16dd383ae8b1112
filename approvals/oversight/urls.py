from django.urls import path

from approvals.oversight import coverage_views, views

app_name = "oversight"
urlpatterns = [
    path("audit/", views.audit, name="audit"),
    path("audit/look/", views.look_again, name="look"),
    path("audit/assign/", views.assign, name="assign"),
    path("rectification/", views.to_rectify, name="to_rectify"),
    path("audit/findings/<int:finding_id>/", views.detail, name="finding"),
    path("audit/findings/<int:finding_id>/rectify/", views.rectify, name="rectify"),
    path("audit/findings/<int:finding_id>/verify/", views.verify, name="verify"),
    path("audit/findings/<int:finding_id>/send-back/", views.send_back, name="send_back"),
    path("audit/findings/<int:finding_id>/explain/", views.explain, name="explain"),
    path("audit/<str:code>/export.xlsx", views.export, {"ending": "xlsx"}, name="export_xlsx"),
    path("audit/<str:code>/export.csv", views.export, {"ending": "csv"}, name="export_csv"),
    path("audit/<str:code>/", views.findings, name="findings"),
    path("coverage/", coverage_views.figures, name="coverage"),
    path("coverage/pupils/", coverage_views.pupils, name="coverage_pupils"),
    path("coverage/pupils/<int:student_id>/reason/", coverage_views.reason, name="coverage_reason"),
]
