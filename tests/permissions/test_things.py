"""Every act on notices, batches, applications, rosters, posts, accounts and freeze periods, tried by every role.

As in test_cases.py: each cell of the matrix is executed, on one thing that is put into the state and under the office,
and undone. What a refusal is about must be the permission or the state; any other is a fault of the test.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from PIL import Image

from approvals.applications import evidence_store
from approvals.applications.actions import changing, evidence, match_runs, matching, registers, rosters
from approvals.applications.models import Application, Hit, Roster
from approvals.applications.register_queries import STATES as LIST_STATES
from approvals.applications.roster_queries import STATES as ROSTER_STATES
from approvals.awards import actions as awards
from approvals.awards.models import PROPOSAL_STATES as AWARD_PROPOSAL_STATES
from approvals.awards.models import STATES as AWARD_STATES
from approvals.awards.models import Award, AwardInstalment, AwardProposal, EventList
from approvals.awards.refusals import Refused as AwardRefused
from approvals.disbursement import actions as batches
from approvals.disbursement import demo_bank, queries
from approvals.disbursement.funds import actions as funds
from approvals.disbursement.models import (
    BATCH_STATES,
    CORRECTION_STATES,
    FUNDED,
    LINE_STATES,
    AccountCorrection,
    Allotment,
    Balance,
    Batch,
    PaymentLine,
)
from approvals.disbursement.receipts import actions as receipts
from approvals.disbursement.receipts.actions import Signed
from approvals.disbursement.recovery import actions as recoveries
from approvals.disbursement.recovery.models import RECOVERY_STATES, RecoveryCase, RepaymentAccount
from approvals.notices import actions as notices
from approvals.notices.announcements import actions as announcements
from approvals.notices.announcements.models import STATES as ANNOUNCEMENT_STATES
from approvals.notices.announcements.models import Announcement
from approvals.notices.archive import actions as archiving
from approvals.notices.archive.models import BoardPhoto, Dossier, NoticeFile
from approvals.notices.models import STATES as NOTICE_STATES
from approvals.notices.models import Notice, NoticeLine, Objection, SealedIdentity
from approvals.notices.objections import actions as objections
from approvals.notices.objections import eligibility
from approvals.notices.objections.models import STATES as OBJECTION_STATES
from approvals.notices.refusals import Refused
from approvals.notices.steps import STEPS
from approvals.organisations import accounts, authority, proposals
from approvals.organisations.authority import UserActor, holders
from approvals.organisations.models import PROPOSAL_STATES, Kind, Organisation, PostProposal, User
from approvals.organisations.permissions_file import BELOW, OWN, OWN_CASE, RELATIONS
from approvals.organisations.permissions_file import Act as Cell
from approvals.organisations.roles import matrix
from approvals.oversight import actions as oversight
from approvals.oversight.models import STATES as FINDING_STATES
from approvals.oversight.models import Finding
from approvals.people import registers as listed
from approvals.people.crypto import encrypt_bytes
from approvals.people.models import RegisterList
from approvals.programmes.definition import ObjectionRule
from approvals.review.actions import unmask
from tests.factories import (
    FIRST_DAY,
    TERM,
    PostFactory,
    StudentFactory,
    UserFactory,
    VersionFactory,
    account_number,
    acting,
    at_step,
    every_notice,
    funded,
    person,
)
from tests.permissions.world import STATES as CASE_STATES
from tests.permissions.world import World, prepared_by
from workflows import acts
from workflows.clock import today
from workflows.models import ActingLevel, CalendarYear, Case, Freeze
from workflows.reasons import Reason

pytestmark = pytest.mark.django_db
MATRIX = matrix()
ROLES = sorted(MATRIX.may)
WHY = "经研究决定，按照规定办理此件。"
REASON = Reason("other", WHY)
FINANCE = ("finance_maker", "finance_checker", "finance_approver", "treasury_officer")
DOCUMENT = "鸡财拨〔2026〕1号"
GATES = {
    "wrong_state", "not_listed", "wrong_office", "not_editable", "wrong_roster_state", "line_not_failed", "audit_held",
    "nothing_corrected", "not_waiting", "no_such_proposal", "account_closed", "account_already",
    "pupil_of_other_school", "wrong_list_state", "other_level", "said", "answered_before", "no_such_award",
    "not_held", "correction_decided", "recovery_state", "not_to_acknowledge",
}  # fmt: skip
"""Codes of refusals that tell of the permission or the state."""
NEW = ("-",)
ANY = ("draft", "county_review", "completed")
"""States in which what may be done in every state is tried."""
THINGS = {
    **{step: [name for name, _ in NOTICE_STATES] for step in STEPS},
    "objection": [name for name, _ in OBJECTION_STATES],
    "announcement": [name for name, _ in ANNOUNCEMENT_STATES],
    "batch": [name for name, _ in BATCH_STATES],
    "line": [name for name, _ in LINE_STATES],
    "recovery": [name for name, _ in RECOVERY_STATES],
    "allotment": [],
    "correction": [name for name, _ in CORRECTION_STATES],
    "post": [name for name, _ in PROPOSAL_STATES],
    "award": [name for name, _ in AWARD_STATES],
    "award_proposal": [name for name, _ in AWARD_PROPOSAL_STATES],
    "enrolment_event": ["previewed", "loaded", "discarded"],
    "finding": [name for name, _ in FINDING_STATES],
    "coverage": [],
    "account": ["open", "closed"],
    "freeze": ["running", "ended"],
    "application": list(CASE_STATES),
    "roster": list(ROSTER_STATES),
    "register": list(LIST_STATES),
    "reading": [],
    "everybody": [],
}
"""The states of each kind of thing."""


@dataclass
class Stage:
    """One of each thing, in the school of the world, made by others than those who try."""

    world: World
    version: Any
    maker: UserActor
    checker: UserActor
    approver: UserActor
    treasury: UserActor
    second: UserActor
    """An administrator who proposed the one proposal there is."""
    notices: dict[str, Notice] = field(default_factory=dict)
    noticed: Any = None
    """The programme of those: its cases pass all four steps."""
    objection: Objection = field(default_factory=Objection)
    announcement: Announcement = field(default_factory=Announcement)
    batch: Batch = field(default_factory=Batch)
    sent: Batch = field(default_factory=Batch)
    """A batch that is at the bank."""
    award: Award = field(default_factory=Award)
    """Of a sum in instalments, whose first proof is recorded."""
    allotment: Allotment = field(default_factory=Allotment)
    application: Application = field(default_factory=Application)
    roster: Roster = field(default_factory=Roster)
    register: RegisterList = field(default_factory=RegisterList)
    proposal: PostProposal = field(default_factory=PostProposal)

    @property
    def school(self) -> Organisation:
        return self.world.offices["school"]


@pytest.fixture(scope="module")
def stage_of_this_module(world_of_this_module: World, django_db_blocker: Any) -> Iterator[Stage]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield _stage(world_of_this_module)
        transaction.set_rollback(True)


@pytest.fixture
def stage(stage_of_this_module: Stage, db: None, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Nobody's posts change while things are tried: they are read once a test, and not thousands of times. At every
    office there is somebody who may look into an objection.
    """
    monkeypatch.setattr(authority, "offices_of", cache(authority.offices_of))
    somebody = eligibility.Candidate(stage_of_this_module.maker.user_id, "某人", "")
    monkeypatch.setattr(eligibility, "candidates", lambda objection: [somebody])
    return stage_of_this_module


def _stage(world: World) -> Stage:
    county, school = world.offices["county"], world.offices["school"]
    CalendarYear.objects.create(year=FIRST_DAY.year, source="示例")
    version = VersionFactory()
    people = [acting(person(role, county)) for role in FINANCE]
    stage = Stage(world, version, *people, acting(person("administrator", county)))
    noticed = VersionFactory(changes=every_notice())
    for step, role, office in (
        ("class_notice", "aid_officer", school),
        ("school_notice", "aid_officer", school),
        ("township_notice", "township_reviewer", world.offices["township"]),
        ("county_notice", "county_reviewer", county),
    ):
        at_step(step, school=school, version=noticed)
        author = acting(person(role, office))
        stage.notices[step] = notices.draft(step, office, noticed.programme, TERM, author, group=("五年级", "1班"))
    stage.noticed = noticed
    stage.objection = Objection.objects.create(
        notice=stage.notices["school_notice"], number=1, path=school.path, ground="procedure", statement="程序不对",
        named=True, receipt_hash=b"r" * 32, received_at="2026-09-07T08:00+08:00", limits=ObjectionRule().model_dump(),
    )  # fmt: skip
    SealedIdentity.objects.create(objection=stage.objection, name="某家长", contact="邻居")
    stage.announcement = announcements.draft(
        school, acting(person("aid_officer", school)), kind="other", title="公告", body="正文"
    )
    at_step("payment", school=school, version=version)
    stage.sent = batches.make_batch(version.programme, TERM, stage.maker, county.path)
    batches.submit(stage.sent.pk, stage.maker)
    batches.check(stage.sent.pk, stage.checker)
    stage.allotment, _county = funded(county, version.programme)
    batches.approve(stage.sent.pk, stage.approver)
    batches.allot(stage.sent.pk, stage.treasury, DOCUMENT, FIRST_DAY)
    batches.export(stage.sent.pk, stage.maker)
    at_step("payment", school=school, version=version)
    stage.batch = batches.make_batch(version.programme, TERM, stage.maker, county.path)
    sums = VersionFactory(
        changes={"code": "sums", "group": "sums", "award": {"exclusive": "lifetime", "instalments": {"count": 3}}}
    )
    stage.award = Award.objects.get(case=at_step("payment", school=school, version=sums).case_id)
    stage.application = at_step("draft", school=school, version=version)
    officer = acting(person("aid_officer", school))
    book = "姓名,身份证号,年级,班级\n".encode("gb18030")
    stage.roster = rosters.upload(book, "名单.csv", school, version.programme_id, TERM, officer)
    Roster.objects.filter(pk=stage.roster.pk).update(valid=1, rows=1)
    stage.register = RegisterList.objects.create(
        kind="low_income", origin="县民政局", as_of=FIRST_DAY, state="previewed", current=False, filename="名单.csv",
        sha256="0" * 64, uploaded_by=stage.second.user, uploaded_on=FIRST_DAY,
    )  # fmt: skip
    stage.proposal = proposals.propose_appointment(
        UserFactory(), school, "class_teacher", FIRST_DAY, None, WHY, stage.second
    )
    return stage


# ---------------------------------------------------------------- trying


def answer(act: Callable[[], Any]) -> bool:
    """Whether an act is done."""
    try:
        done = act()
    except (PermissionDenied, Freeze.DoesNotExist):
        return False
    except Exception as refused:
        if getattr(refused, "code", "") not in GATES:
            raise
        return False
    if isinstance(done, list) and done and isinstance(done[0], proposals.Answer):
        assert done[0].ok or done[0].code in GATES, done
        return done[0].ok
    return done is not False


CELLS = [cell for cell in MATRIX.acts.values() if cell.family in THINGS]
TURNS = 4
"""Whom no state gives an act is barred by his post, and not by the state: he is tried in one state of so many."""
KINDS = sorted({kind for kinds in MATRIX.at.values() for kind in kinds})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.key)
def test_each_act_is_answered_as_the_matrix_says(stage: Stage, cell: Cell, kind: str) -> None:
    """By everybody who holds a post at this kind of office: in each state, at each relation; by those whom no state
    gives it, at each relation in a few states, in turn.
    """
    roles = [role for role in ROLES if kind in MATRIX.at[role]]
    states, relations = states_of(cell), relations_of(cell, stage, kind)
    said = {
        (role, state, relation): MATRIX.allows(role, cell, state, relation)
        for role, state, relation in product(roles, states, relations)
    }
    able = {role for (role, *_), allowed in said.items() if allowed}
    found: dict[tuple[str, str, str], bool] = {}
    for (i, state), (j, relation) in product(enumerate(states), enumerate(relations)):
        with undone():
            place = stage.world.places[kind][relation].removesuffix("#")
            act = TRIES[cell.family](stage, cell.name, state, place)
            for n, role in enumerate(roles):
                if role not in able and (i + j + n) % min(TURNS, len(states)):
                    continue
                by, key = stage.world.people[role], (role, state, relation)
                # What is refused changes nothing, so that only what is expected to be done need be undone.
                with undone() if said[key] else nullcontext():
                    if relation == OWN_CASE:
                        prepared_by([stage.application.pk], by)
                    found[key] = answer(lambda: act(by))  # noqa: B023
    assert {key: done for key, done in found.items() if done != said[key]} == {}, cell.key
    assert {(role, relation) for role, _, relation in found} == set(product(roles, relations)) != set()
    assert {key for key, allowed in said.items() if key[0] in able} <= set(found)


def states_of(cell: Cell) -> Sequence[str]:
    """The states in which an act is tried: all of the thing; for what is the same in every state, a few."""
    if "-" in cell.needs:
        return NEW
    if "*" in cell.needs:
        return ANY if cell.family == "application" else ANY[:1]
    return THINGS[cell.family]


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


OF_SCHOOLS = (
    "application.enter",
    "roster.upload",
    "coverage.explain",
    "enrolment_event.record",
    "enrolment_event.upload",
)
"""Acts that begin with an organisation, which must be there."""


def relations_of(cell: Cell, stage: Stage, kind: str) -> list[str]:
    """The relations that such a thing can stand in: only a case is somebody's own, and where the thing lies with an
    organisation or a person, there must be one.
    """
    if cell.key == "objection.refer" and kind == Kind.COUNTY:
        return [each for each in RELATIONS if each not in (OWN, OWN_CASE)]  # it hands nothing to itself
    if cell.family in ("everybody", "register") or cell.key in (
        "reading.register_pages",
        "account.create",
        "reading.post_pages",
        "reading.batch_pages",
        "reading.award_pages",
        "reading.fund_pages",
        "reading.recovery_pages",
        "reading.receipt_pages",
        "reading.objection_pages",
        "reading.announcement_pages",
        "reading.finding_pages",
        "reading.coverage_pages",
        "finding.look",
    ):
        return [OWN]
    of_cases = cell.key == "reading.case_page" or (cell.family == "application" and cell.name != "enter")
    kept = [each for each in RELATIONS if each != OWN_CASE or of_cases]
    if cell.family == "account" or cell.key in OF_SCHOOLS:
        here = stage.world.places[kind]
        kept = [each for each in kept if Organisation.objects.filter(path=here[each]).exists()]
    return kept


def _office(path: str, kind: str = Kind.SCHOOL) -> Organisation:
    """The organisation at a path, or one that is nowhere."""
    return Organisation.objects.filter(path=path).first() or Organisation(path=path, kind=kind, name="别处")


# ---------------------------------------------------------------- the things

Try = Callable[[UserActor], Any]


def try_notice(step: str) -> Callable[..., Try]:
    def made(stage: Stage, name: str, state: str, place: str) -> Try:
        notice = stage.notices[step]
        line = NoticeLine.objects.get(notice=notice)
        if name == "draft":
            NoticeLine.objects.filter(pk=line.pk).update(open=False)
            office = _office(place, STEPS[step].organisation)
            return lambda by: notices.draft(step, office, stage.noticed.programme, TERM, by, group=("五年级", "1班"))
        signed: dict[str, Any] = {}
        if state not in ("draft", "pending_review"):
            signed = {
                "published_at": "2026-09-07T08:00+08:00", "ends_on": FIRST_DAY + timedelta(days=7), "sha256": "x" * 64,
                "signed_by": stage.maker.user, "signed_person": stage.maker.user.person, "sealed_on": FIRST_DAY,
                "publish_on": FIRST_DAY + timedelta(days=1) if state == "scheduled" else None,
                "frozen": b"{}", "edition": 0 if state == "scheduled" else 1,
            }  # fmt: skip
        if name in ("propose", "conclude"):
            words = (
                {"conclusion_person": stage.second.user.person, "conclusion_text": WHY} if name == "conclude" else {}
            )
            signed |= words | {"contested": True}
            if state in ("concluded", "taken_down", "archived"):
                signed |= {"conclusion_person": stage.second.user.person, "concluded_person": stage.maker.user.person}
            NoticeLine.objects.filter(pk=line.pk).update(open=False, state="confirmed")
            notice.objections.update(state="not_accepted", reply=WHY, replied_at="2026-09-07T08:00+08:00")
        Notice.objects.filter(pk=notice.pk).update(state=state, path=place, **signed)
        Case.objects.filter(pk=line.case_id).update(path=place)
        why = Reason("line_withdrawn", WHY)
        return {
            "edit": lambda by: notices.edit(notice.pk, by, title="公示", remark="", contact="王老师",
                                         contact_phone="0310-0000000", contact_place="一楼"),
            "submit": lambda by: notices.submit(notice.pk, by),
            "publish": lambda by: notices.publish(notice.pk, by, privacy_checked=True, sealed=True),
            "send_back": lambda by: notices.send_back(notice.pk, by, REASON),
            "recall": lambda by: notices.recall(notice.pk, by, REASON),
            "pause": lambda by: notices.pause(notice.pk, by, REASON),
            "void": lambda by: notices.void(notice.pk, by, REASON),
            "propose": lambda by: notices.propose(notice.pk, by, WHY),
            "conclude": lambda by: notices.conclude(notice.pk, by),
            "withdraw_line": lambda by: _done(notices.withdraw_line(line.pk, by, why)),
            "add_photo": lambda by: archiving.add_photo(
                notice.pk, _paper(), moment_shown="start", taken_on=FIRST_DAY, place="校门口公示栏", by=by
            ),
            "remove_photo": lambda by: archiving.remove_photo(_photo(notice, stage).pk, by),
            "posting": lambda by: archiving.state_posting(notice.pk, proof=WHY, no_photo_reason="", by=by),
            "make_package": lambda by: archiving.make_package(notice.pk, by),
            "archive": lambda by: archiving.archive(_complete(notice), by),
        }[name]  # fmt: skip

    return made


def _photo(notice: Notice, stage: Stage) -> BoardPhoto:
    return BoardPhoto.objects.create(
        notice=notice, moment="start", taken_on=FIRST_DAY, place="校门口", size=1, added_by=stage.maker.user,
        added_at="2026-09-07T08:00+08:00",
    )  # fmt: skip


def _complete(notice: Notice) -> int:
    """With everything there that an archived notice must have."""
    Dossier.objects.get_or_create(notice=notice, proof=WHY, no_photo_reason=WHY)
    NoticeFile.objects.get_or_create(
        notice=notice, kind="package", state="ready", file="00/x", sha256="x", made_at="2026-09-07T08:00+08:00"
    )
    return notice.pk


def try_announcement(stage: Stage, name: str, state: str, place: str) -> Try:
    found, given = stage.announcement, {"kind": "other", "title": "公告", "body": "正文"}
    if name == "draft":
        kind = Kind.COUNTY if place == stage.world.places["county"][OWN] else Kind.SCHOOL
        return lambda by: announcements.draft(_office(place, kind), by, **given)
    signed: dict[str, Any] = {}
    if state in ("published", "withdrawn"):
        signed = {"published_at": "2026-09-07T08:00+08:00", "published_person": stage.maker.user.person}
    Announcement.objects.filter(pk=found.pk).update(state=state, path=place, **signed)
    return {
        "edit": lambda by: announcements.edit(found.pk, by, **given),
        "submit": lambda by: announcements.submit(found.pk, by),
        "discard": lambda by: announcements.discard(found.pk, by),
        "send_back": lambda by: announcements.send_back(found.pk, by, WHY),
        "publish": lambda by: announcements.publish(found.pk, by),
        "withdraw": lambda by: announcements.withdraw(found.pk, by, WHY),
    }[name]


def _done(result: Any) -> bool:
    assert result.ok or result.code in ("not_permitted", "wrong_state"), result
    return bool(result.ok)


def try_objection(stage: Stage, name: str, state: str, place: str) -> Try:
    rows = Objection.objects.filter(pk=stage.objection.pk)
    maker, at = stage.maker.user, "2026-09-07T08:00+08:00"
    rows.update(
        state=state, path=place, outcome="dismissed", reply=WHY, replied_at=at, appealed_at=at, investigator=maker,
        investigator_person=maker.person,
    )  # fmt: skip
    pk = stage.objection.pk

    def named(by: UserActor) -> int:
        """Gives it to whoever tries: these acts are for the one person who was named."""
        rows.update(investigator=by.user, investigator_person=by.user.person)
        return pk

    return {
        "accept": lambda by: objections.accept(pk, by),
        "not_accept": lambda by: objections.not_accept(pk, by, Reason("no_facts", WHY)),
        "refer": lambda by: objections.refer(pk, by),
        "assign": lambda by: objections.assign(pk, stage.maker.user_id, by),
        "unseal": lambda by: objections.unseal(named(by), by, "ask_back"),
        "decide": lambda by: objections.decide(named(by), by, "dismissed", WHY * 2),
        "close": lambda by: bool(by.permits("system", [place])),
    }[name]


LINES_OF = {
    "sent_to_bank": "sent", "partially_paid": "failed", "paid": "paid", "reconciled": "paid", "closed": "paid",
    "cancelled": "cancelled",
}  # fmt: skip


def try_batch(stage: Stage, name: str, state: str, place: str) -> Try:
    batch = stage.sent if name == "take_return" or (name == "export" and state in LINES_OF) else stage.batch
    if name == "make":
        PaymentLine.objects.filter(batch=batch).update(state="cancelled", path=place)
        Award.objects.filter(lines__batch=batch).update(path=place)
        return lambda by: batches.make_batch(stage.version.programme, TERM, by, place)
    persons = {}
    if state not in ("draft", "submitted", "cancelled", "audit_held"):
        persons = {"checker": stage.checker.user, "checker_person": stage.checker.user.person}
    if state in ("approved", "finance_review", *FUNDED):
        persons |= {"approver": stage.approver.user, "approver_person": stage.approver.user.person}
    if state in FUNDED:
        persons |= {
            "treasury": stage.treasury.user, "treasury_person": stage.treasury.user.person,
            "treasury_document": DOCUMENT, "treasury_date": FIRST_DAY,
        }  # fmt: skip
    kind = {"kind": "fee_waiver_settlement"} if name == "settle" else {}
    if state == "audit_held":
        kind["held_from"] = "draft"
    Batch.objects.filter(pk=batch.pk).update(state=state, path=place, **persons, **kind)
    PaymentLine.objects.filter(batch=batch).update(state=LINES_OF.get(state, "included"), path=place)
    line = PaymentLine.objects.get(batch=batch)
    return {
        "take_out": lambda by: batches.take_out(line.pk, by, WHY),
        "submit": lambda by: batches.submit(batch.pk, by),
        "check": lambda by: batches.check(batch.pk, by),
        "approve": lambda by: batches.approve(batch.pk, by),
        "send_back": lambda by: batches.send_back(batch.pk, by, WHY),
        "cancel": lambda by: batches.cancel(batch.pk, by, WHY),
        "export": lambda by: batches.export(batch.pk, by),
        "take_return": lambda by: batches.take_return(batch.pk, demo_bank.answer(stage.sent), "回盘.txt", by),
        "settle": lambda by: batches.settle(batch.pk, "冀财教〔2026〕1号", by),
        "allot": lambda by: batches.allot(batch.pk, by, DOCUMENT, FIRST_DAY),
        "reconcile": lambda by: batches.reconcile(batch.pk, by, queries.paid_total(batch)),
        "close": lambda by: batches.close(batch.pk, by),
        "hold": lambda by: batches.hold(batch.pk, by, WHY),
        "release_hold": lambda by: batches.release_hold(batch.pk, by, WHY),
    }[name]


def try_line(stage: Stage, name: str, state: str, place: str) -> Try:
    line = PaymentLine.objects.select_related("student").get(batch=stage.sent)
    PaymentLine.objects.filter(pk=line.pk).update(state=state, path=place)
    Batch.objects.filter(pk=stage.sent.pk).update(state="partially_paid", path=place)
    if name in ("hold_line", "let_go"):
        Batch.objects.filter(pk=stage.sent.pk).update(state="draft")
    acts = {
        "hold_line": lambda by: batches.hold_line(line.pk, by, WHY),
        "let_go": lambda by: batches.let_go(line.pk, by),
        "give_up": lambda by: batches.give_up(line.pk, by, WHY),
        "confirm_receipt": lambda by: receipts.confirm_receipt([Signed(line.pk, "guardian", "某家长")], today(), by),
    }
    if name in acts:
        return acts[name]
    if name == "reissue":
        hashed = Application.objects.values_list("account_hash", flat=True).get(pk=line.case_id)
        AccountCorrection.objects.create(
            line=line, path=place, state="confirmed", account_no="1", account_hash=hashed, account_tail="1",
            account_kind="bank_card", holder_name="某人", bank="联社", proposed_by=stage.second.user,
            proposed_person=stage.second.user.person, proposed_at="2026-09-07T08:00+08:00",
            decided_person=stage.maker.user.person,
        )  # fmt: skip
        return lambda by: batches.reissue(stage.sent.pk, by)
    return lambda by: _proposed(line, by)


def _proposed(line: PaymentLine, by: UserActor) -> AccountCorrection:
    account = account_number(999_999)
    return batches.propose_account(line.pk, account, account, "bank_card", line.student.name, "联社", by)


def try_recovery(stage: Stage, name: str, state: str, place: str) -> Try:
    line = PaymentLine.objects.get(batch=stage.sent)
    if name == "set_account":
        return lambda by: recoveries.set_account(place, by, holder="财政局", bank="联社", account_no="1")
    PaymentLine.objects.filter(pk=line.pk).update(state="paid", path=place)
    if name == "open":
        return lambda by: recoveries.open_case(line.pk, "dropout", WHY, line.amount, by)
    at = "2026-09-07T08:00+08:00"
    people = {"proposed_person": stage.second.user.person, "confirmed_person": stage.maker.user.person}
    case = RecoveryCase.objects.create(
        line=line, path=place, cause="dropout", words=WHY, amount=line.amount, opened_by=stage.maker.user, opened_at=at,
        state="opened" if state == "recovered" else state, **people,
    )  # fmt: skip
    if state == "recovered":
        RecoveryCase.objects.filter(pk=case.pk).update(state=state, recovered=line.amount)
    Batch.objects.filter(pk=stage.sent.pk).update(committed_at=None)
    kept = {"holder": "财政局", "bank": "联社", "account_no": "1", "at": at, "by": stage.treasury.user}
    RepaymentAccount.objects.create(path=stage.world.offices["county"].path, **kept)
    return {
        "notice": lambda by: recoveries.notice(case.pk, today(), by),
        "receive": lambda by: recoveries.receive(case.pk, "缴款书1", today(), Decimal("1.00"), by),
        "propose_write_off": lambda by: recoveries.propose_write_off(case.pk, by, WHY),
        "write_off": lambda by: recoveries.write_off(case.pk, by),
        "decline_write_off": lambda by: recoveries.decline_write_off(case.pk, by, WHY),
        "refer": lambda by: recoveries.refer(case.pk, by, WHY),
        "withdraw": lambda by: recoveries.withdraw(case.pk, by, WHY),
    }[name]


def try_correction(stage: Stage, name: str, state: str, place: str) -> Try:
    line = PaymentLine.objects.select_related("student").get(batch=stage.sent)
    PaymentLine.objects.filter(pk=line.pk).update(state="failed")
    correction = _proposed(line, acting(person("aid_officer", stage.school)))
    decided = {"decided_person": stage.second.user.person} if state in ("confirmed", "refused") else {}
    AccountCorrection.objects.filter(pk=correction.pk).update(state=state, path=place, **decided)
    return {
        "confirm": lambda by: batches.confirm_account(correction.pk, account_number(999_999), by),
        "refuse": lambda by: batches.refuse_account(correction.pk, by, WHY),
        "withdraw": lambda by: batches.withdraw_account(correction.pk, by),
    }[name]


def try_award(stage: Stage, name: str, state: str, place: str) -> Try:
    award, officer = stage.award, stage.second.user
    stopped = FIRST_DAY if state in ("suspended", "transferred_out", "terminated") else None
    Award.objects.filter(pk=award.pk).update(
        state=state,
        path=place,
        stops_on=stopped,
        stopped_for="audit",
        audit_held=name == "audit_release" and bool(stopped),
    )
    part = AwardInstalment.objects.get(term__award=award, number=1)
    if name == "confirm_proof":
        AwardInstalment.objects.filter(pk=part.pk).update(
            proof=WHY, recorded_by=officer, recorded_person=officer.person
        )
    kind = name.removeprefix("propose_")
    reasons = {
        "suspend": "leave", "resume": "return", "transfer": "transfer", "terminate": "dropout",
        "complete": "graduation",
    }  # fmt: skip
    goal = awards.Goal(None, "邯郸市某校") if kind == "transfer" else awards.Goal()
    if kind in reasons:
        return lambda by: awards.propose([award.pk], kind, reasons[kind], WHY, FIRST_DAY, by, goal)
    return {
        "audit_hold": lambda by: awards.hold([award.pk], by, WHY),
        "audit_release": lambda by: awards.release([award.pk], by, WHY),
        "record_proof": lambda by: awards.record_proof(part.pk, WHY, by),
        "confirm_proof": lambda by: awards.confirm_proof(part.pk, by),
    }[name]


def try_award_proposal(stage: Stage, name: str, state: str, place: str) -> Try:
    first, kind = stage.maker.user, "terminate" if state == "to_second" else "suspend"
    to_school = None
    if state == "to_accept":
        kind, to_school = "transfer", Organisation.objects.filter(path=place).first() or stage.school
        away = Organisation.objects.filter(kind=Kind.SCHOOL).exclude(pk=to_school.pk).first()
        Organisation.objects.filter(pk=to_school.pk).update(stages=["primary"])
        Award.objects.filter(pk=stage.award.pk).update(school=away)
    Award.objects.filter(pk=stage.award.pk).update(path=place)
    signed = {"first_by": first, "first_at": "2026-09-07T08:00+08:00"} if state in ("to_second", "confirmed") else {}
    proposal = AwardProposal.objects.create(
        state=state, award=stage.award, path=place, kind=kind, reason_code="leave", effective_on=FIRST_DAY,
        from_school=stage.school, to_school=to_school, proposed_by=stage.second.user,
        proposed_at="2026-09-07T08:00+08:00", **signed,
    )  # fmt: skip

    def taken_back(by: UserActor) -> Any:
        AwardProposal.objects.filter(pk=proposal.pk).update(proposed_person=by.user.person, first_person=None)
        return awards.withdraw([proposal.pk], by)

    if name == "withdraw":
        AwardProposal.objects.filter(pk=proposal.pk, state="confirmed").update(state="declined")
    return {
        "confirm": lambda by: awards.confirm([proposal.pk], by),
        "second": lambda by: awards.second([proposal.pk], by),
        "accept": lambda by: awards.accept([proposal.pk], by),
        "decline": lambda by: awards.decline([proposal.pk], by, WHY),
        "withdraw": taken_back,
    }[name]


def try_enrolment_event(stage: Stage, name: str, state: str, place: str) -> Try:
    school = _office(place)
    if name == "record":
        pupil = StudentFactory(school=stage.school, stage="primary")
        pupil.school_id = school.pk
        return lambda by: awards.record_event(awards.Change(pupil, "leave", FIRST_DAY), school, by)
    pupil = StudentFactory(school=stage.school, stage="primary")
    book = f"姓名,身份证号,异动类型,异动日期\n{pupil.name},{pupil.id_number},休学,2026-09-07\n".encode("gb18030")
    if name == "upload":
        return lambda by: awards.upload(book, "异动.csv", school, by)
    if name == "correct_rates":
        return lambda by: awards.correct_rates(stage.version.programme_id, TERM, place, by)
    kept = EventList.objects.create(
        school=stage.school, path=place, filename="异动.csv", sha256="0" * 64, content=encrypt_bytes(book), state=state,
        uploaded_by=stage.second.user, uploaded_at="2026-09-07T08:00+08:00",
    )  # fmt: skip
    return {
        "confirm": lambda by: awards.confirm_list(kept.pk, by),
        "discard": lambda by: awards.discard_list(kept.pk, by),
    }[name]


def try_allotment(stage: Stage, name: str, state: str, place: str) -> Try:
    told = {"document": "冀财教〔2026〕99号", "dated": FIRST_DAY, "amount": Decimal("1.00")}
    if name == "record":
        return lambda by: funds.record_allotment(place, by, source="city", budget_year=2026, **told)
    one = stage.allotment if place == stage.world.offices["county"].path else _allotment_at(place, stage)
    return lambda by: funds.adjust(one.pk, by, **told)


def _allotment_at(place: str, stage: Stage) -> Allotment:
    """Another one, recorded at a place: an allotment is never moved."""
    made = Allotment.objects.create(
        path=place, source="city", budget_year=2026, document="别处的指标文", dated=FIRST_DAY, amount=1,
        at="2026-09-07T08:00+08:00", by=stage.treasury.user,
    )  # fmt: skip
    Balance.objects.create(allotment=made)
    return made


def try_post(stage: Stage, name: str, state: str, place: str) -> Try:
    office = _office(place)
    role = {Kind.COUNTY: "auditor", Kind.TOWNSHIP: "township_reviewer"}.get(Kind(office.kind), "class_teacher")
    if name == "propose":
        user = UserFactory()
        return lambda by: proposals.propose_appointment(user, office, role, FIRST_DAY, None, WHY, by)
    changes: dict[str, Any] = {"state": state, "path": place, "role": role}
    if office.pk:
        changes["organisation"] = office
    if state in ("approved", "declined"):
        changes["decided_person"] = stage.maker.user.person
    PostProposal.objects.filter(pk=stage.proposal.pk).update(**changes)
    return {
        "approve": lambda by: proposals.approve([stage.proposal.pk], by),
        "decline": lambda by: proposals.decline([stage.proposal.pk], by, WHY),
        "withdraw": lambda by: proposals.withdraw(_proposed_by(stage, by), by),
    }[name]


def _proposed_by(stage: Stage, by: UserActor) -> list[int]:
    rows = PostProposal.objects.filter(pk=stage.proposal.pk)
    rows.update(proposed_person=by.user.person)
    rows.filter(decided_person__isnull=False).update(decided_person=stage.second.user.person)
    return [stage.proposal.pk]


def try_account(stage: Stage, name: str, state: str, place: str) -> Try:
    user = User.objects.filter(username="tried").first() or UserFactory(username="tried")
    PostFactory(user=user, organisation=_office(place), role="class_teacher")
    User.objects.filter(pk=user.pk).update(is_active=state != "closed")
    return {
        "create": lambda by: accounts.create("new-one", "新人", "", by),
        "reset_password": lambda by: accounts.reset_password(user.pk, by),
        "close": lambda by: accounts.close(user.pk, by, WHY),
        "reopen": lambda by: accounts.reopen(user.pk, by, WHY),
        "employ": lambda by: accounts.employ(user.pk, stage.school, by),
    }[name]


def try_finding(stage: Stage, name: str, state: str, place: str) -> Try:
    if name == "look":
        return oversight.ask
    said = {
        "path": place, "place": place, "about": "person", "about_id": 1, "first_seen": FIRST_DAY, "answer": WHY,
        "last_seen": FIRST_DAY, "gone_on": FIRST_DAY, "due_on": FIRST_DAY, "reason": WHY, "state": state,
        "rectified_person": stage.maker.user.person, "verified_person": stage.checker.user.person,
    }  # fmt: skip
    Finding.objects.filter(query="A1", subject="x").delete()
    finding = Finding.objects.create(query="A1", code="not_on_roll", subject="x", **said)
    return {
        "assign": lambda by: oversight.assign([finding.pk], by),
        "rectify": lambda by: oversight.rectify(finding.pk, by, WHY),
        "verify": lambda by: oversight.verify(finding.pk, by),
        "send_back": lambda by: oversight.send_back(finding.pk, by, WHY),
        "explain": lambda by: oversight.explain(finding.pk, by, WHY),
        **dict.fromkeys(("vanish", "reopen"), lambda by: bool(by.permits("system", [place]))),
    }[name]


def try_coverage(stage: Stage, name: str, state: str, place: str) -> Try:
    student = StudentFactory(school=_office(place), stage="primary")
    row = listed.Row(bytes(student.id_hash), "dibao")
    listed.load_list("poor_households", "某局", FIRST_DAY, [row], on=FIRST_DAY)
    return {"explain": lambda by: oversight.explain_pupil(student.pk, TERM, "left", WHY, by)}[name]


def try_freeze(stage: Stage, name: str, state: str, place: str) -> Try:
    if name == "set":
        return lambda by: acts.set_freeze(place, FIRST_DAY, FIRST_DAY, WHY, by)
    ended = None if state == "running" else "2026-09-07T08:00+08:00"
    freeze = Freeze.objects.create(
        path=place, starts_on=FIRST_DAY, ends_on=FIRST_DAY, text=WHY, set_by="某人", ended_at=ended
    )
    return lambda by: acts.end_freeze(freeze.pk, by)


def _paper() -> SimpleUploadedFile:
    made = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(made, "PNG")
    return SimpleUploadedFile("证明.png", made.getvalue(), "image/png")


def try_application(stage: Stage, name: str, state: str, place: str) -> Try:
    application = stage.application
    if name == "enter":
        school = _office(place)
        student = StudentFactory(school=school, stage="primary") if school.kind == Kind.SCHOOL else None
        pupil = student or StudentFactory(school=stage.school)
        entry = changing.Entry(stage.version, TERM, school, pupil, None, "primary", "五年级", "1班")
        return lambda by: changing.enter(entry, {"boarder": True}, by)
    Application.objects.filter(pk=application.pk).update(path=place)
    Case.objects.filter(pk=application.pk).update(state=state, path=place)
    ActingLevel.objects.filter(case=application.pk).delete()
    return {
        "edit": lambda by: changing.change(application.pk, {"remark": "家庭住址有变"}, by),
        "add_evidence": lambda by: evidence.add_evidence(application.pk, "other", _paper(), by),
        "waive_hit": lambda by: matching.waive_hit(_hit(application).pk, by, Reason("verified", WHY)),
        "unmask": lambda by: unmask(application.pk, by, "judge"),
    }[name]


def _hit(application: Application) -> Hit:
    Hit.objects.filter(application=application).delete()
    return Hit.objects.create(application=application, source="accounts", code="card_name_mismatch")


def try_register(stage: Stage, name: str, state: str, place: str) -> Try:
    register = stage.register
    RegisterList.objects.filter(pk=register.pk).update(state=state, valid=1)
    return {
        "upload": lambda by: registers.upload(b"x", "名单.csv", "low_income", "县民政局", FIRST_DAY, by),
        "confirm": lambda by: registers.confirm(register.pk, by),
        "discard": lambda by: registers.discard(register.pk, by),
        "withdraw": lambda by: registers.withdraw(register.pk, by, WHY),
        "match_term": lambda by: match_runs.ask(TERM, by),
    }[name]


def try_roster(stage: Stage, name: str, state: str, place: str) -> Try:
    roster, programme = stage.roster, stage.version.programme_id
    if name == "upload":
        return lambda by: rosters.upload(b"x", "名单.csv", _office(place), programme, TERM, by)
    Roster.objects.filter(pk=roster.pk).update(state=state, path=place)
    return {
        "retarget": lambda by: rosters.retarget(roster.pk, programme, TERM, by),
        "confirm": lambda by: rosters.confirm(roster.pk, False, True, False, by),
        "discard": lambda by: rosters.discard(roster.pk, by),
    }[name]


def _opens(by: UserActor, name: str, *args: Any) -> bool:
    client = Client()
    client.force_login(by.user, backend="django.contrib.auth.backends.ModelBackend")
    status = client.get(reverse(name, args=args)).status_code
    assert status in (200, 403, 404), (name, status)
    return status == 200


def _downloads(stage: Stage, by: UserActor, place: str) -> bool:
    """The package of a notice of each kind; each office has its own."""
    opened = []
    for notice in stage.notices.values():
        Notice.objects.filter(pk=notice.pk).update(path=place)
        _complete(notice)
        file = NoticeFile.objects.get(notice=notice)
        file.file = evidence_store.keep(b"zip")
        opened.append(answer(lambda: archiving.open_package(file, by)))  # noqa: B023
    return any(opened)


def try_reading(stage: Stage, name: str, state: str, place: str) -> Try:
    Application.objects.filter(pk=stage.application.pk).update(path=place)
    Case.objects.filter(pk=stage.application.pk).update(state=state)
    return {
        "case_page": lambda by: _opens(by, "review:case", stage.application.pk),
        "post_pages": lambda by: all(
            _opens(by, f"organisations:{page}") for page in ("posts", "proposals", "history")
        ) and _opens(by, "review:permissions"),
        "objection_pages": lambda by: _opens(by, "objections:list"),
        "notice_packages": lambda by: _downloads(stage, by, place),
        "award_pages": lambda by: all(
            _opens(by, f"awards:{page}") for page in ("list", "proposals", "events", "differences")
        ),
        "batch_pages": lambda by: _opens(by, "disbursement:list"),
        "receipt_pages": lambda by: _opens(by, "disbursement:receipts"),
        "recovery_pages": lambda by: _opens(by, "disbursement:recoveries"),
        "fund_pages": lambda by: all(_opens(by, f"disbursement:{page}") for page in ("funds", "trial_balance")),
        "register_pages": lambda by: _opens(by, "applications:registers"),
        "announcement_pages": lambda by: _opens(by, "notices:announcements"),
        "finding_pages": lambda by: _opens(by, "oversight:audit"),
        "coverage_pages": lambda by: _opens(by, "oversight:coverage"),
        "warnings": lambda by: by.user_id in holders("oversee_queue", [place])[place],
        "in_freeze": lambda by: place in by.permits("act_in_freeze", [place]),
    }[name]  # fmt: skip


def try_everybody(stage: Stage, name: str, state: str, place: str) -> Try:
    pages = {"declare_kin": "review:kin", "own_password": "organisations:own_password", "programmes": "programmes:list"}
    return lambda by: _opens(by, pages[name])


TRIES: dict[str, Callable[..., Try]] = {
    **{step: try_notice(step) for step in STEPS},
    "objection": try_objection,
    "announcement": try_announcement,
    "batch": try_batch,
    "line": try_line,
    "recovery": try_recovery,
    "allotment": try_allotment,
    "correction": try_correction,
    "post": try_post,
    "award": try_award,
    "award_proposal": try_award_proposal,
    "enrolment_event": try_enrolment_event,
    "account": try_account,
    "freeze": try_freeze,
    "finding": try_finding,
    "coverage": try_coverage,
    "application": try_application,
    "roster": try_roster,
    "register": try_register,
    "reading": try_reading,
    "everybody": try_everybody,
}


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.assigned], ids=lambda cell: cell.key)
def test_what_is_for_the_one_who_was_named_is_for_nobody_else(stage: Stage, cell: Cell) -> None:
    """Among those who hold the permission, whatever their role."""
    acts: dict[str, Callable[[UserActor], Any]] = {
        "withdraw": lambda by: refused_by(awards.withdraw([AwardProposal.objects.latest("pk").pk], by)),
        "unseal": lambda by: objections.unseal(stage.objection.pk, by, "ask_back"),
        "decide": lambda by: objections.decide(stage.objection.pk, by, "dismissed", WHY * 2),
    }
    for state, role in product(cell.needs, ROLES):
        with undone():
            TRIES[cell.family](stage, cell.name, state, stage.school.path)
            with pytest.raises((PermissionDenied, Refused, AwardRefused)) as refusal:
                acts[cell.name](stage.world.people[role])
            [kind] = MATRIX.at[role]
            holds = MATRIX.allows(role, cell, state, OWN if kind == Kind.SCHOOL else BELOW)
            expected = ("not_own_proposal", "no_such_proposal") if cell.name == "withdraw" else ("not_investigator", "")
            assert getattr(refusal.value, "code", "") == expected[not holds], role


def refused_by(answers: list[proposals.Answer]) -> None:
    """Raises the refusal of the only one."""
    [each] = answers
    if not each.ok:
        raise Refused("wrong_state") if each.code == "not_waiting" else AwardRefused(each.code)


def test_no_family_of_the_matrix_is_left_out() -> None:
    assert {family.name for family in MATRIX.families} == {"case", "desk", *THINGS} == {"case", "desk", *TRIES}
    assert {state for cell in CELLS for state in cell.needs} <= {"-", "*"}.union(*THINGS.values())
