from django.urls import path

from approvals.awards import change_views, event_views, views

app_name = "awards"
urlpatterns = [
    path("awards/", views.award_list, name="list"),
    path("awards/<int:award_id>/", views.award_page, name="detail"),
    path("awards/<int:award_id>/propose/", change_views.propose, name="propose"),
    path("awards/<int:award_id>/audit/", change_views.audit, name="audit"),
    path("awards/<int:award_id>/letter/", views.letter, name="letter"),
    path("awards/proofs/<int:instalment_id>/", change_views.proof, name="proof"),
    path("awards/changes/", change_views.proposals, name="proposals"),
    path("awards/changes/decide/", change_views.decide, name="decide"),
    path("awards/differences/", views.differences, name="differences"),
    path("awards/differences/correct/", change_views.correct, name="correct"),
    path("awards/enrolment/", event_views.events, name="events"),
    path("awards/enrolment/record/", event_views.record, name="record"),
    path("awards/enrolment/upload/", event_views.upload, name="upload"),
    path("awards/enrolment/template/", event_views.template, name="template"),
    path("awards/enrolment/lists/<int:list_id>/", event_views.event_list, name="event_list"),
    path("awards/enrolment/lists/<int:list_id>/<slug:answer>/", event_views.answer_list, name="answer_list"),
]
