from django.urls import path

from approvals.disbursement import views
from approvals.disbursement.funds import views as funds
from approvals.disbursement.receipts import views as receipts
from approvals.disbursement.recovery import views as recovery

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
    path("batches/<int:batch_id>/allot/", views.allot, name="allot"),
    path("batches/<int:batch_id>/reconcile/", views.reconcile, name="reconcile"),
    path("batches/<int:batch_id>/close/", views.close, name="close"),
    path("batches/<int:batch_id>/hold/", views.hold, name="hold"),
    path("batches/<int:batch_id>/release-hold/", views.release_hold, name="release_hold"),
    path("batches/<int:batch_id>/bank-file/", views.bank_file, name="bank_file"),
    path("batches/<int:batch_id>/bank-return/", views.bank_return, name="bank_return"),
    path("batches/<int:batch_id>/answer/", views.answer, name="answer"),
    path("batches/<int:batch_id>/settle/", views.settle, name="settle"),
    path("batches/<int:batch_id>/reissue/", views.reissue, name="reissue"),
    path("batches/<int:batch_id>/demo-answer/", views.demo_answer, name="demo_answer"),
    path("payments/failed/", views.failed, name="failed"),
    path("payments/<int:line_id>/take-out/", views.take_out, name="take_out"),
    path("payments/<int:line_id>/hold/", views.hold_line, name="hold_line"),
    path("payments/<int:line_id>/let-go/", views.let_go, name="let_go"),
    path("payments/<int:line_id>/give-up/", views.give_up, name="give_up"),
    path("payments/<int:line_id>/account/", views.correct_account, name="correct_account"),
    path("funds/", funds.overview, name="funds"),
    path("funds/new/", funds.record_allotment, name="record_allotment"),
    path("funds/trial-balance/", funds.trial_balance, name="trial_balance"),
    path("funds/<int:allotment_id>/", funds.allotment, name="allotment"),
    path("funds/<int:allotment_id>/adjust/", funds.adjust, name="adjust"),
    path("payments/receipts/", receipts.receipts, name="receipts"),
    path("recoveries/", recovery.recoveries, name="recoveries"),
    path("recoveries/account/", recovery.account, name="repayment_account"),
    path("recoveries/new/<int:line_id>/", recovery.open_case, name="open_recovery"),
    path("recoveries/<int:case_id>/", recovery.recovery, name="recovery"),
    path("recoveries/<int:case_id>/letter/", recovery.letter, name="recovery_letter"),
    path("payments/corrections/<int:correction_id>/confirm/", views.confirm_account, name="confirm_account"),
    path("payments/corrections/<int:correction_id>/refuse/", views.refuse_account, name="refuse_account"),
    path("payments/corrections/<int:correction_id>/withdraw/", views.withdraw_account, name="withdraw_account"),
]
