"""What the demo county lived through before its first day, by the same doors that people use: nothing is faked.

In spring a township's central school took ten boarders and day pupils from the roster to the bank; one payment came
back and waits for another account. Of these pupils one went on leave, one left school and one changed schools within
the county. In September other schools are on their way: drafts, applications waiting for
the head, some returned, and a public notice that is running.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from decimal import Decimal

from django.utils import translation

from approvals.applications.actions.rosters import import_now
from approvals.applications.actions.submitting import confirm_papers, submit
from approvals.applications.importing import target_of
from approvals.applications.models import Application, Roster
from approvals.awards import actions as awards
from approvals.awards.models import Award, AwardProposal
from approvals.disbursement import actions as payments
from approvals.disbursement import demo_bank
from approvals.disbursement.funds.actions import record_allotment
from approvals.notices import actions as notices
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation, User
from approvals.programmes.models import Programme
from project.demo_rosters import NoRoster, roster
from workflows import Reason, background, decide
from workflows.actors import Actor
from workflows.clock import today
from workflows.flows.aid import AidFlow
from workflows.models import Case, TrainingClock
from workflows.queries import open_items

SPRING, AUTUMN = "2025-2026-2", "2026-2027-1"
GROUP = "living_subsidy"
PAID = "2113049908"
"""小寨镇示例中心小学: paid in spring."""
ON_NOTICE = "2113049914"
"""双塔镇示例中心小学: its notice runs on the first day."""
SUBMITTED = "3113049906"
"""曹庄镇示例初级中学: waits for its head."""
DRAFTED = "2113049939"
"""风正乡示例中心小学: has drafts."""
DOCUMENTS = {"central": "财教", "provincial": "冀财教", "county": "鸡财教"}
CHECKED = Reason("verified", "已逐人核实，情况属实，同意继续办理。")
INCOMPLETE = Reason("form_incomplete", "家庭成员信息填写不完整，请补充后重新提交。")


class HistoryBroken(Exception):
    """A step was refused that must not be; the message says which and why."""


def live_through() -> int:
    """Leads the demo from spring to its first day; returns how many applications there are then.

    A county too small for a story (few pupils) goes without it. Leaves the training clock in September.
    """
    with translation.override("zh-hans"):
        for story in (_paid_in_spring, _changed_in_spring, _on_notice, _submitted, _drafted):
            with suppress(NoRoster):
                story()
    return Application.objects.count()


# ---------------------------------------------------------------- the stories


def _paid_in_spring() -> None:
    _on(date(2026, 3, 2))
    cases = _enter(PAID, SPRING, 10)
    _submit(PAID, cases)
    _on(date(2026, 3, 4))
    _decide("school_review", "approve", cases, _person(f"head_{PAID}"))
    _publish("school_notice", _office(PAID), SPRING, cases, f"officer_{PAID}", f"head_{PAID}")
    _on(date(2026, 3, 12))
    _decide("township_review", "approve", cases, _person("township_130431101"))
    _on(date(2026, 3, 13))
    _decide("county_review", "approve", cases, _person("county1"))
    background.run_due("default")
    _decide("recheck", "approve", cases, _person("county2"), CHECKED)
    _decide("county_review", "approve", cases, _person("county1"))
    _on(date(2026, 3, 16))
    _decide("pending_approval", "approve", cases, _person("leader1"))
    _publish("county_notice", Organisation.objects.get(depth=1), SPRING, cases, "county1", "leader1")
    _on(date(2026, 3, 24))
    for programme in sorted(set(Case.objects.filter(pk__in=cases).values_list("programme", flat=True))):
        _pay(programme, SPRING)


def _changed_in_spring() -> None:
    """休学、辍学、转学: the first is confirmed, of the second nobody decides in time, the third follows the pupil."""
    paid = Award.objects.filter(school__code=PAID, state="active", lines__state="paid").order_by("pk")
    on_leave, gone, moved = [award.student for award in paid.select_related("student")[:3]]
    _on(date(2026, 3, 26))
    school, officer = _office(PAID), _person(f"officer_{PAID}")
    goal = awards.Goal(_office(ON_NOTICE))
    for change in (
        awards.Change(on_leave, "leave", date(2026, 3, 25), "因病休学，有医院证明"),
        awards.Change(gone, "dropout", date(2026, 3, 25), "随父母外出，多次劝返未果"),
        awards.Change(moved, "transfer", date(2026, 3, 25), "随父母迁居", goal),
    ):
        awards.record_event(change, school, officer)
    _on(date(2026, 3, 27))
    _must(awards.confirm(_proposals("suspend"), _person("county1")))
    _must(awards.accept(_proposals("transfer"), _person(f"officer_{ON_NOTICE}")))
    _on(date(2026, 4, 7))


def funds_come() -> None:
    """The year's money, by documents of its sources: some for the living subsidy only, some for any programme.

    A county of any size has it, or nobody could be paid. Leaves the training clock in February.
    """
    _on(date(2026, 2, 11))
    treasury, county = _person("treasury1"), Organisation.objects.get(depth=1).path
    subsidies = list(Programme.objects.filter(group=GROUP).values_list("pk", flat=True))
    for source, dated, amount, programmes, note in [
        ("central", date(2026, 1, 12), "600000.00", subsidies, "2026年城乡义务教育补助经费（示例）"),
        ("central", date(2026, 1, 20), "800000.00", [], "2026年学生资助补助经费（示例）"),
        ("provincial", date(2026, 2, 3), "300000.00", [], "2026年省级学生资助配套资金（示例）"),
        ("county", date(2026, 2, 10), "900000.00", [], "2026年县级学生资助配套资金（示例）"),
    ]:
        record_allotment(
            county,
            treasury,
            source=source,
            budget_year=2026,
            document=f"{DOCUMENTS[source]}〔2026〕{dated.day}号(示例)",
            dated=dated,
            amount=Decimal(amount),
            programmes=programmes,
            note=note,
        )


def _on_notice() -> None:
    _on(date(2026, 9, 1))
    cases = _enter(ON_NOTICE, AUTUMN, 12)
    _submit(ON_NOTICE, cases)
    _on(date(2026, 9, 2))
    head = _person(f"head_{ON_NOTICE}")
    _decide("school_review", "return", cases[:2], head, INCOMPLETE)
    _decide("school_review", "approve", cases[2:], head)
    _on(date(2026, 9, 3))
    _publish("school_notice", _office(ON_NOTICE), AUTUMN, cases[2:], f"officer_{ON_NOTICE}", f"head_{ON_NOTICE}")


def _submitted() -> None:
    _on(date(2026, 9, 4))
    _submit(SUBMITTED, _enter(SUBMITTED, AUTUMN, 8))


def _drafted() -> None:
    _on(date(2026, 9, 4))
    _enter(DRAFTED, AUTUMN, 6)


# ---------------------------------------------------------------- by the doors of the rooms


def _on(day: date) -> None:
    """A new day, and what has become due with it."""
    TrainingClock.objects.update(date=day)
    background.run_due("default")


def _person(username: str) -> UserActor:
    return UserActor(User.objects.get(username=username))


def _office(code: str) -> Organisation:
    return Organisation.objects.get(code=code)


def _enter(code: str, term: str, rows: int) -> list[int]:
    """The school's officer uploads a roster; the drafts' case ids."""
    school = _office(code)
    content = roster(school, GROUP, term, rows)
    import_now(content, f"{school.name}名单.xlsx", target_of(school, GROUP, term), _person(f"officer_{code}"))
    newest = Roster.objects.filter(school=school).latest("pk")
    return list(Application.objects.filter(roster=newest).order_by("roster_row").values_list("case_id", flat=True))


def _submit(code: str, cases: list[int]) -> None:
    officer = _person(f"officer_{code}")
    confirm_papers(Roster.objects.filter(school__code=code).latest("pk").pk, True, True, officer)
    _must(submit(cases, officer))


def _decide(step: str, outcome: str, cases: Iterable[int], by: Actor, reason: Reason | None = None) -> None:
    """Decides those of the cases that stand at a step."""
    _must(decide(open_items(AidFlow.kind, step, cases).values(), outcome, by, reason=reason))


def _proposals(kind: str) -> list[int]:
    """Open proposals about awards, of a kind of change."""
    found = AwardProposal.objects.filter(kind=kind, state__in=["waiting", "to_accept"])
    return list(found.values_list("pk", flat=True))


def _must(results: Iterable[object]) -> None:
    for result in results:
        if not getattr(result, "ok", False):
            raise HistoryBroken(str(result))


def _publish(step: str, office: Organisation, term: str, cases: Iterable[int], author: str, signer: str) -> None:
    """One notice for each programme among the cases that wait at the step."""
    waiting = open_items(AidFlow.kind, step, cases)
    programmes = Programme.objects.filter(pk__in=Case.objects.filter(pk__in=waiting).values("programme"))
    for programme in programmes:
        notice = notices.draft(step, office, programme, term, _person(author))
        notices.submit(notice.pk, _person(author))
        notices.publish(notice.pk, _person(signer), privacy_checked=True, sealed=True)


def _pay(programme: str, term: str) -> None:
    """Four persons make, check, approve and allot a batch; the bank answers."""
    maker = _person("finance1")
    batch = payments.make_batch(
        Programme.objects.get(pk=programme), term, maker, Organisation.objects.get(depth=1).path
    )
    payments.submit(batch.pk, maker)
    payments.check(batch.pk, _person("finance2"))
    payments.approve(batch.pk, _person("finance3"))
    treasury = _person("treasury1")
    payments.allot(batch.pk, treasury, f"鸡财拨〔2026〕{batch.pk}号(示例)", today())
    payments.export(batch.pk, maker)
    batch.refresh_from_db()
    payments.take_return(batch.pk, demo_bank.answer(batch), f"{batch.number}.txt", maker)
