from django.urls import path

from approvals.review import views

app_name = "review"
urlpatterns = [
    path("queue/", views.queue_page, name="queue"),
    path("queue/find/", views.find, name="find"),
    path("queue/decide/", views.decide, name="decide"),
    path("cases/<int:case_id>/", views.case_page, name="case"),
    path("cases/<int:case_id>/numbers/", views.unmask, name="unmask"),
    path("cases/<int:case_id>/route.svg", views.route_diagram, name="route"),
]
