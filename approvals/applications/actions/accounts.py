"""Another account for an application whose payment failed, checked like the first one was (DOMAIN.md §4.3)."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Q

from approvals.applications.matching import Owner, shared_accounts
from approvals.applications.models import Application
from approvals.applications.refusals import Refused
from approvals.people.crypto import blind_index
from approvals.people.identity import normalise_name
from approvals.people.masking import mask_name
from approvals.people.models import Student
from approvals.people.names import folded
from workflows import record
from workflows.actors import Actor


def checked_account(
    case_id: int, account_no: str, holder_name: str, paid: Iterable[Owner] = ()
) -> tuple[Application, bytes, str]:
    """The application, locked, with the account's blind index and its holder, if the money may go there.

    `paid` are the pupils whose money went to that account before, or is about to.
    Raises Refused where too many pupils of different households would share it, where it is another pupil's who shares
    neither household nor guardian, or the holder is nobody on record.
    Whoever enters the same account at the same moment waits, so that two cannot both be the last one allowed.
    """
    application = Application.objects.select_for_update(of=("self",)).select_related("student").get(pk=case_id)
    hashed, holder = blind_index(account_no), normalise_name(holder_name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [hashed.hex()])
    if folded(holder) not in {folded(name) for name in holders_of(application)}:
        raise Refused("holder_unknown")
    pupil = Owner(hashed, application.student_id, application.student.household_id)
    if shared_accounts({hashed}, [*paid, pupil]):
        raise Refused("account_shared")
    if others := _strangers_with(hashed, holder, application, paid):
        raise Refused("account_of_other", pupils="、".join(others))
    return application, hashed, holder


def replace_account(
    case_id: int,
    account_no: str,
    account_kind: str,
    holder_name: str,
    bank: str,
    by: Actor,
    post: str,
    paid: Iterable[Owner] = (),
) -> Application:
    """Writes another account on an application; part of the caller's transaction, who has checked the number.

    Raises Refused as `checked_account` does, with `paid` as there.
    """
    application, hashed, holder = checked_account(case_id, account_no, holder_name, paid)
    application.account_no, application.account_hash, application.account_tail = account_no, hashed, account_no[-4:]
    application.account_kind, application.holder_name, application.bank = account_kind, holder, bank.strip()[:60]
    application.save(
        update_fields=["account_no", "account_hash", "account_tail", "account_kind", "holder_name", "bank"]
    )
    record.write("correct_account", "case", [case_id], by, post=post, path=application.path)
    return application


def _strangers_with(account: bytes, holder: str, application: Application, paid: Iterable[Owner]) -> list[str]:
    """Other pupils whose account this is, by name and school: of another household, and the holder is no guardian of
    theirs. Names of other schools' pupils are masked.
    """
    live = Application.objects.filter(live=True)
    theirs = live.filter(account_hash=account).values("student")
    pupils = Student.objects.filter(Q(pk__in=theirs) | Q(pk__in=[owner.student for owner in paid]))
    strangers = (
        pupils.exclude(pk=application.student_id)
        .exclude(household__isnull=False, household=application.student.household_id)
        .exclude(guardians__name=holder)
        .exclude(pk__in=live.filter(guardian_name=holder).values("student"))
    )
    named = strangers.order_by("pk").values_list("name", "school", "school__name")
    return [
        f"{name if school == application.school_id else mask_name(name)}（{school_name}）"
        for name, school, school_name in named
    ]


def holders_of(application: Application) -> set[str]:
    """Whose account the money may go to: the pupil's, or that of a guardian on record."""
    registered = application.student.guardians.values_list("name", flat=True)
    return {application.student.name, application.guardian_name, *registered} - {""}
