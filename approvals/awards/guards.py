"""An application for what an award of the pupil excludes is not carried further (DOMAIN.md §2.5 rule 3, §2.4).

Asked when it is submitted and at the county's approval; the database refuses the award itself, whatever the route.
"""

from django.db.models import F

from approvals.applications.models import Application
from approvals.awards.actions.granting import span_of
from approvals.awards.models import Award
from approvals.awards.refusals import SENTENCES
from approvals.programmes.models import Programme
from workflows.actors import Actor
from workflows.guards import Refusal, guard
from workflows.refusals import add_sentences

SENTENCE = SENTENCES["already_awarded"]
add_sentences({"already_awarded": SENTENCE})


def not_excluded(case_ids: list[int], by: Actor) -> dict[int, Refusal]:
    """Refuses the cases of pupils whose award of the group still excludes another one."""
    mine = Award.objects.filter(
        taken=True, student__applications__case__in=case_ids, student__applications__group=F("group")
    ).exclude(case=F("student__applications__case"))
    awards = [(award, award.of) for award in mine.annotate(of=F("student__applications__case"))]
    if not awards:
        return {}
    asked = Application.objects.filter(case__in=[case for _, case in awards]).select_related("version")
    spans = {
        each.case_id: span_of(each.version.rules.award, each.school_year, each.stage)
        for each in asked.only("case", "school_year", "stage", "version")
        if each.version.rules.disbursement != "none"
    }
    names = {programme.code: str(programme) for programme in Programme.objects.all()}
    return {
        case: Refusal(
            "already_awarded",
            SENTENCE,
            {"programme": names.get(award.programme, award.programme), "year": award.school_year},
        )
        for award, case in awards
        if spans.get(case) == award.span
    }


for _step, _outcome in (
    ("draft", "submit"),
    ("pending_approval", "approve"),
):
    guard("aid", _step, _outcome)(not_excluded)
