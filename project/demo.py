"""The demo county: loaded into an empty database, emptied and loaded again. Its training clock marks the database."""

import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import structlog
import yaml
from django.apps import apps
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, ProgrammingError, connection, transaction
from psycopg.errors import InsufficientPrivilege

from approvals.disbursement.funds.loading import load_splits
from approvals.organisations.actions import Appointment, appoint_all, load_organisations
from approvals.organisations.county_file import read_file
from approvals.organisations.models import Kind, Organisation, SchoolForm, User
from approvals.oversight.actions import ask_daily, look_on
from approvals.people import registers
from approvals.people.crypto import blind_index
from approvals.people.enrolment import Family, take_over
from approvals.people.models import Student
from approvals.programmes.actions import load_programmes, load_quotas
from project.demo_history import funds_come, live_through
from project.demo_people import SURNAMES, County, Listed
from project.demo_registers import load_lists
from project.walk import PASSWORD
from workflows import clock, record
from workflows.actors import SYSTEM
from workflows.models import TrainingClock
from workflows.working_days import load_calendar

log = structlog.get_logger(__name__)

FIRST_DAY = date(2026, 9, 7)
"""A Monday inside the autumn window of 2026-2027-1."""
POSTS_SINCE = date(2026, 1, 1)
REGISTER_OF = date(2026, 2, 28)
PUPILS = 5000
HISTORY_FROM = 1000
"""A county of fewer pupils starts without anything under way."""
PEOPLE = uuid.uuid5(uuid.NAMESPACE_URL, "https://example.org/zhuxue/demo")
"""Namespace of the demo's natural persons: the same account is the same person after every reset."""
FIXTURES = Path(settings.BASE_DIR) / "fixtures"
ONE_AT_A_TIME = 2_113_049_902  # advisory lock key: two commands must not load or reset at once, nor sweeps meanwhile
ATTEMPTS = 3


class NotADemo(Exception):
    """The database holds somebody's data, or this is no place for a demo. The message says which."""


@dataclass(frozen=True)
class Loaded:
    """What the demo came to."""

    pupils: int
    fresh: bool
    """False when it had been loaded before and was left alone."""


# ---------------------------------------------------------------- loading and resetting


def load(pupils: int = PUPILS) -> Loaded:
    """Loads the demo county where it is missing. Raises NotADemo on a database that holds other data."""
    _demo_allowed()
    with clock.released(), _alone():
        if TrainingClock.objects.exists():
            return Loaded(Student.objects.count(), fresh=False)
        _nothing_of_anybody()
        return _fill(pupils)


def reset(pupils: int = PUPILS) -> Loaded:
    """Empties the demo database and loads it again, evidence files included; all or nothing.

    Raises NotADemo where there is no training clock. Whoever is at work at this moment is waited for.
    """
    _demo_allowed()
    return _patiently(lambda: _reset(pupils))


def _reset(pupils: int) -> Loaded:
    with clock.released(), _alone():
        if not TrainingClock.objects.exists():
            raise NotADemo("This is no demo database: it has no training clock. Nothing was changed.")
        _empty()
        transaction.on_commit(_remove_files)
        return _fill(pupils)


def _demo_allowed() -> None:
    if not settings.DEMO:
        raise NotADemo("The demo's accounts have a known password; it is loaded only where DEMO is on.")


def _nothing_of_anybody() -> None:
    """Refuses a database with accounts, pupils, or organisations that are not the demo's own."""
    ours = {office.code for _, _, office in read_file(FIXTURES / "organisations" / "jize.yaml").offices()}
    others = Organisation.objects.exclude(code__in=ours).exists()
    if others or User.objects.exists() or Student.objects.exists():
        raise NotADemo("This database holds data and is no demo. Give an empty one, or another DATABASE_URL.")


@contextmanager
def _alone() -> Iterator[None]:
    """A transaction in which no other command loads or resets."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '60s'")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        yield


@contextmanager
def while_it_stands() -> Iterator[bool]:
    """Whether background work may run now: not while the demo is loaded or reset, which waits for it to end."""
    if not settings.DEMO:
        yield True
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock_shared(%s)", [ONE_AT_A_TIME])
        [free] = cursor.fetchone()
    try:
        yield free
    finally:
        if free:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [ONE_AT_A_TIME])


def _patiently(reset: Callable[[], Loaded]) -> Loaded:
    """Emptying locks every table; where that crosses the locks of others, one of the two gives way and tries again."""
    for attempt in range(1, ATTEMPTS):
        try:
            return reset()
        except OperationalError as error:
            log.warning("demo_reset_again", attempt=attempt, why=str(error).splitlines()[0])
    return reset()


def _fill(pupils: int) -> Loaded:
    training = TrainingClock.objects.create(date=POSTS_SINCE)
    load_calendar()
    with clock.held():  # every line of the record of one moment
        load_programmes()
        load_splits()
        load_organisations()
        load_quotas()
        posts = _accounts()
        count = _people(pupils)
    funds_come()
    applications = live_through() if count >= HISTORY_FROM else 0
    training.date = FIRST_DAY
    training.save()
    lists = load_lists() if applications else 0
    if applications:
        ask_daily(FIRST_DAY)
        while look_on():
            pass
    record.write(
        "load_demo", "demo", [0], SYSTEM, post="system",
        data={"pupils": count, "posts": posts, "applications": applications, "lists": lists},
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Loaded(count, fresh=True)


# ---------------------------------------------------------------- accounts


def _accounts() -> int:
    """Accounts and posts: those of the file, and people of their own for every other school and township."""
    offices = {office.code: office for office in Organisation.objects.filter(valid_to=None)}
    wanted = [*yaml.safe_load((FIXTURES / "demo" / "accounts.yaml").read_text(encoding="utf-8"))]
    wanted += _others({(entry["role"], entry["at"]) for entry in wanted}, offices.values())
    password = make_password(PASSWORD)  # slow on purpose, so once for all
    users = User.objects.bulk_create(
        User(
            username=entry["username"],
            name=entry["name"],
            password=password,
            person=uuid.uuid5(PEOPLE, entry["username"]),
            phone="0310-0499999",
        )
        for entry in wanted
    )
    posts = appoint_all(
        [
            Appointment(user, offices[entry["at"]], entry["role"], POSTS_SINCE)
            for user, entry in zip(users, wanted, strict=True)
        ]
    )
    return len(posts)


ROLES = {
    Kind.SCHOOL: (("officer", "aid_officer", "老师"), ("head", "school_head", "校长")),
    Kind.TOWNSHIP: (("township", "township_reviewer", "主任"),),
}


def _others(named: set[tuple[str, str]], offices: Iterable[Organisation]) -> Iterator[dict[str, str]]:
    for number, office in enumerate(sorted(offices, key=lambda office: office.path)):
        for word, role, title in ROLES.get(Kind(office.kind), ()):
            if (role, office.code) not in named:
                surname = SURNAMES[number % len(SURNAMES)]
                yield {"username": f"{word}_{office.code}", "name": surname + title, "role": role, "at": office.code}


# ---------------------------------------------------------------- pupils and the register of poor households


def _people(pupils: int) -> int:
    schools = list(Organisation.objects.filter(kind=Kind.SCHOOL, valid_to=None).order_by("path"))
    county = County(schools, _villages(schools))
    listed: list[registers.Row] = []

    def families() -> Iterator[Family]:
        for family, listing in county.families(pupils):
            if listing is not None:
                listed.extend(_rows(family, listing))
            yield family

    count = take_over(families())
    registers.load_list(
        registers.POOR_HOUSEHOLDS, "县农业农村局、县民政局（演示数据）", REGISTER_OF, listed, on=REGISTER_OF
    )
    return count


def _rows(family: Family, listing: Listed) -> Iterator[registers.Row]:
    for person in (*family.parents, *family.pupils):
        yield registers.Row(blind_index(person.id_number), listing.category, family.number, listing.in_county)


def _villages(schools: list[Organisation]) -> dict[str, list[str]]:
    """Villages by office path: one where each village school or teaching point stands."""
    townships = Organisation.objects.filter(kind=Kind.TOWNSHIP).order_by("path")
    found: dict[str, list[str]] = {township.path: [] for township in townships}
    names = {township.path: township.name for township in townships}
    for school in schools:
        above = school.path[: -Organisation.steplen]
        if school.form in (SchoolForm.VILLAGE, SchoolForm.TEACHING_POINT):
            village = school.name.removeprefix(names[above]).removesuffix("小学").removesuffix("教学点")
            found[above].append(f"{names[above]}{village}村")
    return found | {"": [village for villages in found.values() for village in villages]}


# ---------------------------------------------------------------- emptying


def _empty() -> None:
    """Empties every table but those that describe the tables; the record's guards are lifted meanwhile.

    Only the owner of the tables may lift them, which the embedded database's user is and a county's is not.
    """
    kept = {ContentType._meta.db_table, Permission._meta.db_table}
    models = [model for app in apps.get_app_configs() for model in app.get_models(include_auto_created=True)]
    tables = sorted({model._meta.db_table for model in models if model._meta.managed} - kept)
    quoted = [connection.ops.quote_name(table) for table in tables]
    with connection.cursor() as cursor, _only_the_owner():
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks still to come is not emptied
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        guarded = _guarded(cursor)
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {', '.join(quoted)}")
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@contextmanager
def _only_the_owner() -> Iterator[None]:
    try:
        yield
    except ProgrammingError as error:
        if not isinstance(error.__cause__, InsufficientPrivilege):
            raise
        raise NotADemo("Only the owner of the tables may empty them; this database's user is not.") from error


def _guarded(cursor: Any) -> list[str]:
    """Tables that a trigger keeps from being emptied, quoted."""
    cursor.execute(
        "SELECT DISTINCT quote_ident(c.relname) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND t.tgtype & 32 <> 0 AND pg_table_is_visible(c.oid)"
    )
    return [table for (table,) in cursor.fetchall()]


def _remove_files() -> None:
    """The evidence that nothing refers to any more."""
    folder = Path(settings.MEDIA_ROOT)
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
