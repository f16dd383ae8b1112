"""What the reader of a case page can do now, and why not where not. The engine asks again when he does it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from approvals.organisations.roles import matrix
from approvals.review.actions import OUTCOMES
from approvals.review.deadlines import nobody_decides
from workflows.acts.pausing import SUSPEND
from workflows.acts.telling import URGE
from workflows.bars import Bars, bars_of
from workflows.conditions import failing
from workflows.models import Case, Follower, Signer, WorkItem
from workflows.nodes import Correction, Review, Step
from workflows.refusals import words
from workflows.undoing import last_decisions
from workflows.ways import Stand, Way, way_of

Holds = Callable[[str], bool]
"""Whether the reader holds a permission at the case's office."""

SYSTEM_ONLY = "system"
"""The permission of outcomes that no person may take."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An outcome that the reader's post gives; `obstacle` says why the case cannot take it at present."""

    outcome: str
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """What the reader can do with a case now, and why not where not."""

    step: str = ""
    task: int | None = None
    judged: bool = False
    """The case waits at a step where a person judges."""
    mine: bool = False
    """The reader's post decides here."""
    acted: str = ""
    """The other level at which the reader has acted on this case."""
    barred: str = ""
    """Why the reader, or anybody, may not judge the case now; empty when he may."""
    nobody: bool = False
    """Nobody may decide it at present."""
    suspended_on: date | None = None
    holder: str = ""
    """Who has taken the task on, by name."""
    held_by_me: bool = False
    signers: list[Signer] = field(default_factory=list)
    waits_for_me: bool = False
    """The reader is asked to sign, and has not yet."""
    may_take_back: bool = False
    """The last decision, or a signature given, is the reader's own and can perhaps be undone."""
    acts: list[str] = field(default_factory=list)
    """What else the reader can do with it, names of `desk_acts.KINDS`."""
    choices: list[Choice] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    """Whose turn it is."""
    school_acts: frozenset[str] = frozenset()
    """submit, resubmit, withdraw, cancel: what the reader may do to it in the applications room."""


def panel(case: Case, item: WorkItem | None, step: Step | None, person: str, holds: Holds) -> Panel:
    """What the reader can do now. The same questions are asked again when he does it."""
    if item is None or step is None:
        return Panel()
    judged = isinstance(step, Review)
    bars = bars_of([case.pk], person)[case.pk]
    signers = list(Signer.objects.filter(item=item, ended_at=None).order_by("id")) if item.panel else []
    seated = next((signer for signer in signers if signer.person == person), None)
    mine = {name for name, way in step.outcomes.items() if way.permission != SYSTEM_ONLY and holds(way.permission)}
    if seated is not None and judged:
        mine |= set(OUTCOMES) & set(step.outcomes)
    judging = bool(mine & set(OUTCOMES)) and judged
    barred = _barred(bars, item, step, person, holds, seated) if judging else ""
    closed = bool(barred) or (seated is not None and bool(seated.vote))
    open_to_me = [name for name in step.outcomes if name in mine and name in OUTCOMES] if not closed else []
    alone = judged and not open_to_me and item.panel in ("", "added")
    return Panel(
        step=step.name,
        task=item.pk,
        judged=judged,
        mine=judging,
        acted=bars.acted_at if judging and bars.acted_at not in (None, step.level) else "",
        barred=barred,
        nobody=alone and nobody_decides(item.pk, step.name),
        suspended_on=case.suspended_on,
        choices=[Choice(name, _obstacle(case, step, name)) for name in open_to_me],
        roles=matrix().roles_with(step.permission) if step.permission != SYSTEM_ONLY else [],
        school_acts=frozenset(mine & {"submit", "resubmit", "withdraw", "cancel"}),
        holder=item.holder_name if item.holder else "",
        held_by_me=bool(person) and item.holder == person,
        signers=signers,
        waits_for_me=seated is not None and not seated.vote,
        may_take_back=_may_take_back(item, person, seated),
        acts=_acts(case, item, step, person, holds, judging and not barred),
    )


class _Reader(NamedTuple):
    """The reader as the bars ask of him."""

    key: str
    holds: Holds
    name: str = ""

    def permits(self, permission: str, paths: Iterable[str]) -> dict[str, str]:
        return dict.fromkeys(paths, "") if self.holds(permission) else {}


def _barred(bars: Bars, item: WorkItem, step: Step, person: str, holds: Holds, seated: Signer | None) -> str:
    """The sentence of what stands against the reader's judging; a colleague's hold included, but for who signs too."""
    found = bars.refusal(_Reader(person, holds), item.path, step.level)
    asked = seated is not None and seated.part != "base"
    if found is None and item.holder not in ("", person) and not asked:
        found = ("held", {"name": item.holder_name})
    return words(*found) if found is not None else ""


def _may_take_back(item: WorkItem, person: str, seated: Signer | None) -> bool:
    if seated is not None and seated.vote:
        return True
    last = last_decisions([item.pk]).get(item.pk)
    if last is None or not last.person or last.person != person:
        return False
    return item.holder in ("", person) and not (last.by_applicant and item.opened_at)


def _acts(case: Case, item: WorkItem, step: Step, person: str, holds: Holds, free: bool) -> list[str]:
    """What the reader can do besides deciding; `free` when he judges it and nothing bars him."""
    held = bool(item.holder)
    judging = isinstance(step, Review) and holds(step.permission)
    mine = held and item.holder == person
    offered = {
        "claim": free and not held,
        "release": mine,
        "take_over": judging and held and not mine,
        "transfer": free,
        "add_signer": free and judging,
        "ask_papers": free and judging,
        "step_aside": free,
        "suspend": holds(SUSPEND) and not case.suspended_on and isinstance(step, Review | Correction),
        "resume": holds(SUSPEND) and case.suspended_on is not None,
        "urge": holds(URGE) and isinstance(step, Review) and not judging,
        "comment": True,
        "copy_to": True,
        "watch": not _watched(case, person),
    }
    return [name for name, possible in offered.items() if possible] + ([] if offered["watch"] else ["unwatch"])


def _watched(case: Case, person: str) -> bool:
    return Follower.objects.filter(case=case, person=person, copied_by="").exists()


def _obstacle(case: Case, step: Step, outcome: str) -> str:
    """The sentence of the first condition of the state machine that stands in the way; empty when none does."""
    way = way_of(step, outcome, Stand.of(case))
    if not isinstance(way, Way) or not way.conditions:
        return ""
    failed = failing(way.conditions, Case, [case.pk])
    return str(failed[case.pk].sentence) if case.pk in failed else ""
