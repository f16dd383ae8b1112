"""The permission matrix may forbid what the state machines allow and grant nothing else: checked at every start."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import Error, register

from approvals.awards.models import Award, AwardProposal
from approvals.disbursement.actions import NAMED
from approvals.disbursement.models import Batch, RecoveryCase
from approvals.notices.announcements.models import Announcement
from approvals.notices.models import Notice, Objection
from approvals.notices.steps import STEPS
from approvals.organisations.models import PostProposal
from approvals.organisations.permissions_file import LAST_DECISION, Act, Matrix
from approvals.organisations.roles import matrix
from approvals.oversight.models import Finding
from workflows.flows.aid import AidCase
from workflows.ways import method_of

NOTICE_ACTS = {
    "void": ("discard", "void"), "publish": ("publish", "schedule"), "conclude": ("conclude_by_people",),
}  # fmt: skip
PROPOSAL_ACTS = {"confirm": ("confirm", "confirm_first"), "withdraw": ("withdraw", "withdraw_county")}
MACHINES: dict[str, tuple[Any, dict[str, tuple[str, ...]], bool]] = {
    "case": (AidCase, {}, True),
    **dict.fromkeys(STEPS, (Notice, NOTICE_ACTS, False)),
    "announcement": (Announcement, {}, True),
    "batch": (Batch, {}, True),
    "recovery": (RecoveryCase, {"receive": ("receive_part", "receive_all")}, True),
    "objection": (Objection, {}, True),
    "post": (PostProposal, {}, True),
    "award": (Award, {}, True),
    "award_proposal": (AwardProposal, PROPOSAL_ACTS, True),
    "finding": (Finding, {}, True),
}
"""By family: its machine, what acts are called in it where otherwise, and whether it names the matrix's permissions."""
for _transition, _act in NAMED.items():
    _model, _names, _permissions = MACHINES["batch"]
    _names[_act] = (*_names.get(_act, ()), _transition)


@register()
def check_permissions(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Whatever the matrix grants is a transition of the state machine, under the same permission."""
    return [Error(sentence, id="permissions.E001") for sentence in disagreements(matrix())]


def disagreements(stated: Matrix) -> Iterator[str]:
    """What a matrix grants and the machines do not know, in sentences."""
    for act in stated.acts.values():
        if act.family in MACHINES:
            yield from _disagreements(act)


def _disagreements(act: Act) -> Iterator[str]:
    model, names, by_permission = MACHINES[act.family]
    methods = [getattr(model, method_of(name), None) for name in names.get(act.name, (act.name,))]
    if not any(hasattr(method, "_django_fsm") for method in methods):
        return  # no transition: the action looks at the state itself
    for state, needed in act.needs.items():
        found = [method._django_fsm.get_transition(state) for method in methods if method is not None]
        known = {transition.permission for transition in found if transition is not None}
        if not known and not (act.key == "batch.export" and state != "allotted"):  # the same file again
            yield f"permissions.yaml: {act.key} is granted in {state}, where {model.__name__} does not know it"
        elif known and by_permission and LAST_DECISION not in needed and not needed <= known:
            yield f"permissions.yaml: {act.key} in {state} needs {sorted(needed)}, for {model.__name__} {sorted(known)}"
