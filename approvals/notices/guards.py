"""What a public list bars: a case on one is not taken back from it (拿回); its line is withdrawn, with a reason."""

from django.utils.translation import gettext_lazy as _

from approvals.notices.models import NoticeLine
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


for _step in STEPS:
    guard("aid", _step, "take_back")(not_listed)
