"""What can be told, and the sentence for it. `%(count)s` cases, `%(name)s` of what it is about."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "returned": _("Applications returned for correction: %(count)s. Reason: %(reason)s"),
    "rejected": _("Applications not approved: %(count)s. Reason: %(reason)s"),
    "notice_concluded": _("The public notice “%(name)s” is over; nobody objected."),
    "notice_appeared": _("The public notice “%(name)s” is public since today, as it was signed."),
    "notice_held_back": _(
        "The public notice “%(name)s” could not be published on its date. Its page says why; please correct it."
    ),
    "notice_lapsed": _("The public notice “%(name)s” was voided: on its date nothing was left of the list."),
    "notice_paused": _("The public notice “%(name)s” was taken out of public view. Correct it, or have it voided."),
    "notice_recomputed": _("The working days were published: the public notice “%(name)s” now ends on %(day)s."),
    "objection_recomputed": _(
        "The working days were published: the objection to “%(name)s” is now to be dealt with by %(day)s."
    ),
    "conclusion_proposed": _("A conclusion of the public notice “%(name)s” was proposed and waits for its signer."),
    "results_drafted": _("“%(name)s” is drafted. Please check it and have it published by %(due)s."),
    "results_near": _("“%(name)s” is to be published by %(due)s; it is not yet."),
    "results_overdue": _("“%(name)s” was to be published by %(due)s and is overdue."),
    "payment_failed": _("Payments of batch %(name)s failed at the bank: %(count)s. Please correct the accounts."),
    "account_corrected": _("Accounts of failed payments of batch %(name)s were corrected. They can be reissued."),
    "account_proposed": _("Another account is proposed for payment %(name)s. Please compare and confirm it."),
    "account_confirmed": _("The account that you proposed for payment %(name)s was confirmed."),
    "account_refused": _("The account that you proposed for payment %(name)s was not confirmed. Please see why."),
    "roster_imported": _("The roster %(name)s is imported: %(count)s applications are drafts now."),
    "match_done": _("The data match of the %(name)s is done: %(count)s hits are new."),
    "handed_on": _("%(name)s has handed cases on to you: %(count)s."),
    "taken_over": _("%(name)s has taken over cases that you had: %(count)s."),
    "to_sign": _("%(name)s asks for your signature on cases: %(count)s."),
    "urged": _("%(name)s reminds you of cases that wait for your decision: %(count)s."),
    "copied": _("%(name)s has copied cases to you: %(count)s."),
    "papers_asked": _("%(name)s asks for more papers on applications: %(count)s."),
    "papers_supplied": _("The papers that you asked for are there: %(name)s."),
    "commented": _("%(name)s has commented on a case that you follow."),
    "deadlines": _("Cases that wait for you: %(near)s due within two working days, %(overdue)s overdue."),
    "escalated_overdue": _("Overdue at %(name)s: %(count)s cases."),
    "escalated_undecidable": _("Nobody may decide these cases of %(name)s: %(count)s. Appoint a deputy there."),
    "post_proposed": _("%(name)s proposes a change of posts. Another administrator decides it."),
    "proposal_decided": _("%(name)s has decided a change of posts that you proposed."),
    "post_given": _("You hold a post: %(name)s. What you can see and do follows from it."),
    "post_ends": _("A post of yours ends: %(name)s."),
    "award_proposed": _("Changes of awards wait for the county's confirmation: %(count)s."),
    "award_to_second": _("Ends of awards wait for your confirmation as second person: %(count)s."),
    "award_to_accept": _("Pupils are to come to your school with their awards: %(count)s. Please accept them."),
    "award_decided": _("%(name)s has decided changes of awards of your school: %(count)s."),
    "award_undecided": _(
        "Awards were suspended because a change of enrolment was not decided in time, or the pupil died: %(count)s."
    ),
    "award_hold": _("%(name)s holds awards of your school for the audit: %(count)s. Nothing is paid meanwhile."),
    "award_release": _("%(name)s has released awards of your school: %(count)s."),
    "award_proof": _("Proofs of a year wait for the county's confirmation: %(count)s."),
    "batch_waiting": _("Batch %(name)s waits for you."),
    "objection_received": _("Somebody objects to “%(name)s”. Please accept it or say why not."),
    "objection_assigned": _("You are named to look into an objection to “%(name)s”."),
    "objection_appealed": _("The answer to an objection to “%(name)s” was appealed. Name who looks into it again."),
    "objections_due": _("Objections that wait for your office: %(near)s due by tomorrow, %(overdue)s overdue."),
    "findings_assigned": _("The audit hands findings to your office, to be put right: %(count)s."),
    "finding_rectified": _("A finding of %(name)s was put right and waits to be verified."),
    "finding_sent_back": _("A finding of %(name)s was sent back: it is not right yet."),
    "findings_due": _("Findings to be put right: %(near)s due within two working days, %(overdue)s overdue."),
}
