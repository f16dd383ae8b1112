"""What an open objection bars: the case of a held line leaves its step by the decision on the objection alone.

Asked in the deciding transaction, with the case locked.
"""

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

from approvals.notices.models import NoticeLine
from approvals.notices.objections.actions import HELD
from approvals.notices.objections.models import TO_INVESTIGATE, Objection
from approvals.notices.refusals import SENTENCES
from approvals.notices.steps import STEPS
from workflows.actors import Actor
from workflows.copying import among
from workflows.guards import Guard, Refusal, guard
from workflows.refusals import add_sentences

OBJECTED = {"objected": SENTENCES["objected"]}
NO_OBJECTION = {"no_objection": _("Only who looks into an objection about this line can do that, by deciding it.")}
add_sentences(OBJECTED | NO_OBJECTION)


def not_held(step: str, wait: bool) -> Guard:
    """Refuses cases whose line an objection holds; where it is to `wait`, one that is coming in at this moment too."""

    def refuse(case_ids: list[int], by: Actor) -> dict[int, Refusal]:
        lines = NoticeLine.objects.filter(case__in=among(case_ids), step=step, open=True)
        if wait:
            states = list(lines.order_by("pk").select_for_update(no_key=True).values_list("case", "state"))
        else:
            states = list(lines.filter(state=HELD).values_list("case", "state"))
        held = (case for case, state in states if state == HELD)
        return dict.fromkeys(held, Refusal("objected", OBJECTED["objected"]))

    return refuse


def by_objection(step: str) -> Callable[[list[int], Actor], dict[int, Refusal]]:
    """Refuses whatever its investigator does not decide upon an objection that is being looked into."""

    def refuse(case_ids: list[int], by: Actor) -> dict[int, Refusal]:
        looked_into = Objection.objects.filter(
            line__case__in=case_ids, line__step=step, line__state=HELD, state__in=TO_INVESTIGATE
        )
        people = looked_into.values_list("line__case", "investigator_person")
        his = {case for case, person in people if person.hex == by.key}
        return {case: Refusal("no_objection", NO_OBJECTION["no_objection"]) for case in case_ids if case not in his}

    return refuse


for _step in STEPS:
    guard("aid", _step, "adjust")(not_held(_step, wait=True))
    guard("aid", _step, "conclude")(not_held(_step, wait=False))
    guard("aid", _step, "uphold")(by_objection(_step))
    guard("aid", _step, "amend")(by_objection(_step))
