from django.urls import path

from approvals.disbursement import views

app_name = "disbursement"
urlpatterns = [
    path("batches/", views.batch_list, name="list"),
    path("batches/new/", views.make, name="new"),
    path("batches/<int:batch_id>/", views.batch_detail, name="detail"),
    path("batches/<int:batch_id>/submit/", views.submit, name="submit"),
    path("batches/<int:batch_id>/check/", views.check, name="check"),
    path("batches/<int:batch_id>/approve/", views.approve, name="approve"),
    path("batches/<int:batch_id>/send-back/", views.send_back, name="send_back"),
    path("batches/<int:batch_id>/cancel/", views.cancel, name="cancel"),
    path("batches/<int:batch_id>/bank-file/", views.bank_file, name="bank_file"),
    path("batches/<int:batch_id>/bank-return/", views.bank_return, name="bank_return"),
    path("batches/<int:batch_id>/answer/", views.answer, name="answer"),
    path("batches/<int:batch_id>/settle/", views.settle, name="settle"),
    path("batches/<int:batch_id>/reissue/", views.reissue, name="reissue"),
    path("batches/<int:batch_id>/demo-answer/", views.demo_answer, name="demo_answer"),
    path("payments/failed/", views.failed, name="failed"),
    path("payments/<int:line_id>/take-out/", views.take_out, name="take_out"),
    path("payments/<int:line_id>/account/", views.correct_account, name="correct_account"),
    path("payments/corrections/<int:correction_id>/confirm/", views.confirm_account, name="confirm_account"),
    path("payments/corrections/<int:correction_id>/refuse/", views.refuse_account, name="refuse_account"),
    path("payments/corrections/<int:correction_id>/withdraw/", views.withdraw_account, name="withdraw_account"),
]
