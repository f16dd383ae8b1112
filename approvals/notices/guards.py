"""What a public list bars: a case on one is not taken back from it (拿回); its line is withdrawn, with a reason, and
only until the period is over.
"""

from django.utils.translation import gettext_lazy as _

from approvals.notices.models import NoticeLine
from approvals.notices.queries import may_still_change
from approvals.notices.steps import STEPS
from workflows.actors import Actor
from workflows.guards import Refusal, guard
from workflows.refusals import add_sentences

ON_LIST = {"on_list": _("The case stands on a public list already; withdraw the line instead.")}
add_sentences(ON_LIST)


def not_listed(case_ids: list[int], by: Actor) -> dict[int, Refusal]:
    """Refuses cases that a list holds, drafts of lists included: somebody has acted on them."""
    listed = NoticeLine.objects.filter(case__in=case_ids, open=True).values_list("case", flat=True)
    return dict.fromkeys(listed, Refusal("on_list", ON_LIST["on_list"]))


PERIOD_OVER = {"period_over": _("The period of this public notice is over; no line can be withdrawn any more.")}
add_sentences(PERIOD_OVER)


def period_runs(case_ids: list[int], by: Actor) -> dict[int, Refusal]:
    """Refuses cases whose list has ended. Their rows are locked by now, so that the end does not come in between."""
    lines = NoticeLine.objects.filter(case__in=case_ids, open=True).select_related("notice").defer("notice__frozen")
    over = (line.case_id for line in lines if not may_still_change(line.notice))
    return dict.fromkeys(over, Refusal("period_over", PERIOD_OVER["period_over"]))


for _step in STEPS:
    guard("aid", _step, "adjust")(period_runs)
    guard("aid", _step, "take_back")(not_listed)
