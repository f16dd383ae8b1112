"""Entering one application, changing a draft, and correcting a returned one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from approvals.applications.actions.creating import ApplicationSpec, create_applications
from approvals.applications.actions.submitting import (
    EDITABLE,
    act_as_applicant,
    not_for_long,
    refresh_missing,
)
from approvals.applications.findings import Finder, Pupil
from approvals.applications.models import Application, Revision
from approvals.applications.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.people import actions as people
from approvals.people.crypto import blind_index
from approvals.people.identity import mask_account, mask_enrolment_no, mask_id, mask_phone
from approvals.people.models import Student
from approvals.programmes import queries as programmes
from approvals.programmes.models import ProgrammeVersion, Rate
from workflows import record
from workflows.clock import today
from workflows.facts import drop_noticed, set_facts, set_title
from workflows.flows.aid import NOTICES
from workflows.models import Case
from workflows.ways import first_review, order_of

STATED = (
    "boarder", "special_groups", "level", "tier", "guardian_name", "guardian_id", "guardian_phone", "bank",
    "account_no", "account_kind", "holder_name", "circumstances", "remark", "class_opinion", "commitment_on",
    "consent_on",
)  # fmt: skip
"""What a school states on an application and may change while it can be edited."""
SECRETS = ("guardian_id", "guardian_phone", "account_no")
JUDGED = frozenset({"level", "tier", "amount", "name", "id_number"})
"""What the school's decision rested on: when it changes, the school decides and notices again (DOMAIN.md §3.1)."""
MATCHED = frozenset({"account_no", "holder_name", "guardian_name", "special_groups", "boarder"})
"""What the data match rested on besides: when it changes, the case goes no further than the county's review."""
MASKS = {
    "guardian_id": mask_id, "guardian_phone": mask_phone, "account_no": mask_account, "id_number": mask_id,
    "enrolment_no": mask_enrolment_no,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the pupil is, as the school states it; normalised and valid."""

    name: str
    id_number: str
    enrolment_no: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A new application from the form: a pupil on the register, or who a new one is and which class he is in."""

    version: ProgrammeVersion
    term: str
    school: Organisation
    student: Student | None
    identity: Identity | None
    stage: str
    grade: str
    class_name: str


def enter(entry: Entry, stated: Mapping[str, Any], by: UserActor) -> int:
    """Opens a draft from the form, complete or not; returns its case. `stated` holds values of `STATED`.

    Raises Refused (duplicate, busy, window_closed, pupil_of_other_school) and PermissionDenied.
    """
    if not programmes.is_open(entry.version.programme_id, entry.term, today()):
        raise Refused("window_closed")
    rate = programmes.rate_for(entry.version, entry.term, entry.stage, stated.get("tier", ""))
    with transaction.atomic():
        [made] = create_applications(
            [
                ApplicationSpec(
                    student=_pupil(entry, stated, by),
                    school=entry.school.pk,
                    path=entry.school.path,
                    version=entry.version.pk,
                    term=entry.term,
                    stage=entry.stage,
                    grade=entry.grade,
                    class_name=entry.class_name,
                    amount=rate.amount if rate else None,
                    rate=rate.pk if rate else None,
                    **{field: value for field, value in stated.items() if field in STATED},
                )
            ],
            by,
        )
        if made.case_id is None:
            raise Refused(made.refused)  # the pupil is not left on the register without an application
    return made.case_id


def _pupil(entry: Entry, stated: Mapping[str, Any], by: UserActor) -> int:
    """The key of the pupil; a new one is added to the register, unverified."""
    if entry.student is not None:
        if entry.student.school_id != entry.school.pk:
            raise Refused("pupil_of_other_school")
        return int(entry.student.pk)
    if entry.identity is None:
        raise ValueError("an entry names a pupil or says who it is")
    added = people.add_pupils(
        [
            people.NewPupil(
                name=entry.identity.name,
                id_number=entry.identity.id_number,
                enrolment_no=entry.identity.enrolment_no,
                school=entry.school.pk,
                path=entry.school.path,
                stage=entry.stage,
                grade=entry.grade,
                class_name=entry.class_name,
                boarder=bool(stated.get("boarder")),
            )
        ],
        by,
    )
    [key] = added.values()
    if not Student.objects.filter(pk=key, school=entry.school).exists():
        raise Refused("pupil_of_other_school")
    return key


# ---------------------------------------------------------------- changing


@dataclass(slots=True)
class _Change:
    """Fields that differ: {name: (old, new)}, plain values."""

    fields: dict[str, tuple[Any, Any]]

    def note(self, name: str, old: Any, new: Any) -> None:
        old, new = (list(value) if isinstance(value, tuple) else value for value in (old, new))
        if (old or None) != (new or None):
            self.fields[name] = (old, new)


def change(case_id: int, stated: Mapping[str, Any], by: UserActor, identity: Identity | None = None) -> list[str]:
    """Changes a draft, or corrects a returned application; returns the names of the fields that changed.

    Only fields in `stated` are looked at. A correction keeps what it changed, masked; one that touches the level,
    the amount or who the pupil is leads back to the school's decision, and its notices no longer count. Raises
    Refused (not_editable, busy, number_taken, identity_in_use, other_level) and PermissionDenied.
    """
    with not_for_long(), transaction.atomic():
        others = _others_of_pupil(case_id) if identity is not None else []
        case = editable(case_id)
        application = Application.objects.select_related("student__school", "version", "school").get(pk=case_id)
        post = by.require("submit_application", application.path)
        changed = _Change({})
        if identity is not None:
            _identify(application.student, identity, by, changed, others)
        _state(application, stated, changed)
        if not changed.fields:
            return []
        act_as_applicant([case_id], by)
        _judge_again(application)
        application.save()
        refresh_missing([case_id])
        _keep(case, application, changed, by, post)
    return sorted(changed.fields)


def _keep(case: Case, application: Application, changed: _Change, by: UserActor, post: str) -> None:
    """Writes on the record what was changed; a correction may lead the case further back."""
    act = "edit"
    if case.state == "returned":
        act = "correct"
        _revise(case, application, changed, by)
    record.write(act, "case", [case.pk], by, post=post, path=application.path, data={"changed": sorted(changed.fields)})


def editable(case_id: int) -> Case:
    """The case, locked so that it cannot be submitted meanwhile; refuses one that may no longer be changed."""
    case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
    if case.state not in EDITABLE:
        raise Refused("not_editable")
    return case


def _others_of_pupil(case_id: int) -> list[Application]:
    """The pupil's other live applications; all of them are locked, in the order in which everybody locks cases."""
    pupil = Application.objects.filter(pk=case_id).values("student")
    live = Application.objects.filter(student__in=pupil, live=True)
    cases = Case.objects.filter(application__in=live).order_by("pk").select_for_update(no_key=True, of=("self",))
    locked = list(cases.values_list("pk", flat=True))
    others = live.filter(pk__in=locked).exclude(pk=case_id).order_by("pk")
    return list(others.select_related("case", "version", "school"))


def _identify(student: Student, identity: Identity, by: UserActor, changed: _Change, others: list[Application]) -> None:
    """Corrects who an unverified pupil is, unless somebody judges another application by it, or has approved one.

    His other applications that the school may change are changed by it too, and judged again where they were before.
    """
    student.refresh_from_db(
        fields=["name", "id_number", "id_hash", "enrolment_no", "birth_date", "verified"],
        from_queryset=Student.objects.select_for_update(no_key=True),
    )
    if student.verified:
        return
    renamed = identity.name != student.name or identity.id_number != str(student.id_number)
    if renamed and any(other.case.state not in EDITABLE for other in others):
        raise Refused("identity_in_use")
    before = {"name": student.name, "id_number": student.id_number, "enrolment_no": student.enrolment_no or ""}
    try:
        names = people.correct_pupil(student, identity.name, identity.id_number, identity.enrolment_no, by)
    except people.NumberTaken:
        raise Refused("number_taken") from None
    if "name" in names:
        set_title(Application.objects.filter(student=student).values_list("pk", flat=True), identity.name)
    for name in names:
        changed.note(name, before[name], getattr(identity, name))
    if renamed:
        _identify_others(student, by, changed, others)


def _identify_others(student: Student, by: UserActor, changed: _Change, others: list[Application]) -> None:
    posts = by.permits("submit_application", {other.path for other in others})
    if any(other.path not in posts for other in others):
        raise Refused("identity_in_use")
    act_as_applicant([other.pk for other in others], by)
    for other in others:
        other.student = student
        _judge_again(other)
        other.save(update_fields=["findings"])
        _keep(other.case, other, _Change(dict(changed.fields)), by, posts[other.path])
    refresh_missing([other.pk for other in others])


def circumstances_of(application: Application) -> dict[str, Any]:
    """What the family states, in clear."""
    stated: dict[str, Any] = json.loads(str(application.circumstances or "{}"))
    return stated


def _state(application: Application, stated: Mapping[str, Any], changed: _Change) -> None:
    """Writes what the school states onto the application, and the amount that follows from it."""
    for name, new in stated.items():
        if name not in STATED:
            raise ValueError(f"not stated by a school: {name}")
        family = name == "circumstances"
        changed.note(name, circumstances_of(application) if family else getattr(application, name), new)
        if name not in changed.fields:
            continue
        if family:
            application.circumstances = json.dumps(new, ensure_ascii=False, default=str) if new else None
        else:
            setattr(application, name, (new or None) if name in SECRETS else new)
    number = str(application.account_no or "")
    application.account_hash = blind_index(number) if number else None
    application.account_tail = number[-4:]
    rate = programmes.rate_for(application.version, application.term, application.stage, application.tier)
    _price(application, rate, changed)


def _price(application: Application, rate: Rate | None, changed: _Change) -> None:
    changed.note("amount", application.amount, rate.amount if rate else None)
    application.amount = rate.amount if rate else None
    application.rate = rate


def _judge_again(application: Application) -> None:
    student = application.student
    pupil = Pupil(student.birth_date, bytes(student.id_hash), student.verified)
    finder = Finder({application.version_id: application.version}, [application.school_id], [pupil.id_hash], today())
    application.findings = finder.findings(application.version_id, application, application.school_id, pupil)


def _revise(case: Case, application: Application, changed: _Change, by: UserActor) -> None:
    """Keeps what a correction changed, and leads it back to the school where the school's decision is touched."""
    Revision.objects.create(
        application=application,
        by=by.name,
        changes={name: [_shown(name, old), _shown(name, new)] for name, (old, new) in changed.fields.items()},
    )
    if JUDGED & set(changed.fields):
        set_facts([case.pk], resume=first_review(case.flow_class, tuple(case.steps)).name)
        drop_noticed([case.pk], *NOTICES)
    elif MATCHED & set(changed.fields) and _is_matched(case):
        set_facts([case.pk], resume="county_review")


def _is_matched(case: Case) -> bool:
    """Whether the step that the case would go back to lies behind the data match."""
    order = [step.name for step in order_of(case.flow_class)]
    return "data_check" in case.steps and case.resume in order and order.index(case.resume) > order.index("data_check")


def _shown(name: str, value: Any) -> Any:
    """A value as a revision may keep it: secrets masked, what the family states not at all."""
    if not value:
        return ""
    if name == "circumstances":
        return "***"
    if name in MASKS:
        return MASKS[name](value)
    if isinstance(value, date | Decimal):
        return str(value)
    return value
