"""审计暂停: the auditor stops an award at once and alone, and alone releases it (DOMAIN.md §2.9, §3.2)."""

from collections.abc import Iterable

from django.db import transaction

from approvals.awards.actions.common import HOLDS, PROPOSES, answers, locked, tell, words
from approvals.awards.models import Award
from approvals.awards.reasons import AUDIT
from approvals.awards.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.organisations.proposals import Answer
from approvals.organisations.roles import matrix
from workflows import record
from workflows.clock import moment
from workflows.machines import transition_all
from workflows.reasons import Reason


def hold(award_ids: Iterable[int], by: UserActor, reason: str) -> list[Answer]:
    """Stops payment of awards from today, whatever else they wait for; an answer per award."""
    why = Reason(AUDIT, words(reason))

    def effect(keys: list[int]) -> None:
        rows = Award.objects.filter(pk__in=keys)
        rows.filter(state="suspended").update(audit_held=True)
        transition_all(rows, "hold", stops_on=moment().date, stopped_for=AUDIT, audit_held=True)

    return _each("hold", award_ids, by, why, "suspended", effect)


def release(award_ids: Iterable[int], by: UserActor, reason: str) -> list[Answer]:
    """Releases held awards; those that nothing else stops are active again. An answer per award."""
    why = Reason(AUDIT, words(reason))

    def effect(keys: list[int]) -> None:
        rows = Award.objects.filter(pk__in=keys)
        transition_all(rows.filter(stopped_for=AUDIT), "release", stops_on=None, stopped_for="", audit_held=False)
        rows.filter(state="suspended").update(audit_held=False)

    return _each("release", award_ids, by, why, "", effect)


def _each(act: str, award_ids: Iterable[int], by: UserActor, why: Reason, to: str, effect: object) -> list[Answer]:
    def do(wanted: list[int]) -> dict[int, Refused]:
        with transaction.atomic():
            found = locked(wanted)
            posts = by.permits(HOLDS, {award.path for award in found.values()})
            refused: dict[int, Refused] = {}
            for pk in wanted:
                award = found.get(pk)
                if award is None or award.path not in posts:
                    refused[pk] = Refused("no_such_award")
                elif not matrix().in_state(f"award.audit_{act}", award.state):
                    refused[pk] = Refused("wrong_state")
                elif award.audit_held == (act == "hold"):
                    refused[pk] = Refused("already_held" if act == "hold" else "not_held")
            ready = [pk for pk in wanted if pk not in refused]
            if ready:
                effect(ready)  # type: ignore[operator]
                lines = [record.Line(pk, found[pk].path, posts[found[pk].path]) for pk in ready]
                record.write_lines(act, "award", lines, by, reason=why, states=("", to))
                tell(f"award_{act}", PROPOSES, [(pk, found[pk].path) for pk in ready], name=by.name)
        return refused

    return answers(award_ids, do)
