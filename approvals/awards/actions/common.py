"""What every act on awards needs: locks, who may, what is said."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from django.db import OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable

from approvals.awards.models import Award
from approvals.awards.reasons import REASONS
from approvals.awards.refusals import Refused
from approvals.organisations.authority import UserActor, holders
from approvals.organisations.proposals import Answer
from approvals.people.models import Kinship, Student
from approvals.programmes.terms import Term
from notifications import send_all
from workflows import record
from workflows.clock import today
from workflows.reasons import MAX_LENGTH, MIN_LENGTH, Reason

PROPOSES, CONFIRMS, SECONDS, HOLDS = "propose_award", "confirm_award", "second_award", "hold_award"


def locked(award_ids: Iterable[int]) -> dict[int, Award]:
    """Awards by key, locked in the order of their keys; what leads elsewhere from them is not read."""
    rows = Award.objects.filter(pk__in=set(award_ids)).order_by("pk").select_for_update(no_key=True, of=("self",))
    return {award.pk: award for award in rows}


@contextmanager
def not_for_long() -> Iterator[None]:
    """A lock that somebody else holds for longer is a refusal, not an error."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            raise Refused("busy") from error
        raise


def answers(ids: Iterable[int], act: Callable[[list[int]], dict[int, Refused]]) -> list[Answer]:
    """An answer per key, in order: `act` does what may be done in one transaction and names the others' refusals."""
    wanted = list(dict.fromkeys(ids))
    try:
        with not_for_long():
            refused = act(wanted)
    except Refused as refusal:
        if refusal.code != "busy":
            raise
        refused = dict.fromkeys(wanted, refusal)
    return [Answer(key, str(refused[key]), refused[key].code) if key in refused else Answer(key) for key in wanted]


def reason_of(kind: str, code: str, text: str, required: bool = True) -> Reason:
    """A reason from the list of a kind of change, with words where they are required."""
    if code not in REASONS[kind]:
        raise Refused("reason_unknown")
    return Reason(code, words(text, required))


def words(text: str, required: bool = True) -> str:
    """What was written, of a suitable length."""
    said = text.strip()
    if required and len(said) < MIN_LENGTH:
        raise Refused("reason_required")
    if len(said) > MAX_LENGTH:
        raise Refused("reason_too_long", most=MAX_LENGTH)
    return said


def day_of(award: Award, on: date) -> date:
    """The day from which a change holds: it has come, and lies in the time of the award."""
    if on > today():
        raise Refused("date_ahead")
    first = Term(int(award.school_year[:4]), 1).starts_on
    if on < first:
        raise Refused("date_too_old", first=first)
    return on


def own_kin(by: UserActor, students: Iterable[int]) -> set[int]:
    """Of these pupils, those whom the person has declared as kin (DOMAIN.md §2.8)."""
    declared = Kinship.objects.filter(person=by.user.person, ended_at=None).values("id_hash")
    mine = Student.objects.filter(pk__in=set(students))
    return set(mine.filter(id_hash__in=declared).values_list("pk", flat=True)) | set(
        mine.filter(guardians__id_hash__in=declared).values_list("pk", flat=True)
    )


def tell(event: str, permission: str, awards: Iterable[tuple[int, str]], but: int = 0, name: str = "") -> None:
    """Tells those who hold a permission at the offices of these (award, path), each once for all of them."""
    found = list(awards)
    if not found:
        return
    cause = f"{found[0][0]}:{record.latest('award', found[0][0])}"
    counts: dict[str, int] = {}
    for _, path in found:
        counts[path] = counts.get(path, 0) + 1
    people: dict[int, int] = {}
    for path, accounts in holders(permission, counts).items():
        for account in accounts:
            people[account] = people.get(account, 0) + counts[path]
    people.pop(but, None)
    send_all(
        event, "awards", [([person], 0, cause, {"count": count, "name": name}) for person, count in people.items()]
    )
