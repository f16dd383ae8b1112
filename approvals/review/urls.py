from django.urls import path

from approvals.review import (
    act_views,
    case_views,
    deciding_views,
    kin_views,
    permission_views,
    queue_views,
    route_views,
)

app_name = "review"
urlpatterns = [
    path("queue/", queue_views.queue_page, name="queue"),
    path("queue/find/", queue_views.find, name="find"),
    path("queue/next/", queue_views.next_one, name="next_one"),
    path("queue/filters/", queue_views.save_filter, name="save_filter"),
    path("queue/filters/<int:pk>/delete/", queue_views.forget_filter, name="forget_filter"),
    path("queue/columns/", queue_views.choose_columns, name="choose_columns"),
    path("queue/decide/", deciding_views.decide, name="decide"),
    path("kin/", kin_views.declarations, name="kin"),
    path("kin/<int:kinship_id>/end/", kin_views.end_declaration, name="end_kin"),
    path("permissions/", permission_views.permissions, name="permissions"),
    path("routes/", route_views.routes, name="routes"),
    path("routes/<slug:name>.<slug:form>", route_views.route_file, name="route_file"),
    path("queue/act/", act_views.act, name="act"),
    path("cases/<int:case_id>/take-back/", act_views.take_back, name="take_back"),
    path("cases/<int:case_id>/look/", act_views.look, name="look"),
    path("cases/<int:case_id>/", case_views.case_page, name="case"),
    path("cases/<int:case_id>/numbers/", case_views.unmask, name="unmask"),
    path("cases/<int:case_id>/route.svg", case_views.route_diagram, name="route"),
]
