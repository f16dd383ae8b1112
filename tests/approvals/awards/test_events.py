"""Changes of enrolment: recorded one by one or from a list, each proposes what follows, and does not wait for ever."""

import io
from datetime import date, timedelta
from typing import Any

import pytest
import xlsxwriter
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.applications.rosters import RosterUnreadable
from approvals.awards import actions
from approvals.awards.models import Award, AwardProposal, EnrolmentEvent, EventList
from approvals.awards.refusals import Refused
from approvals.people.enrolment import Family, Pupil, take_over
from approvals.people.models import Student
from notifications.models import Message
from tests.approvals.awards.conftest import WHY, Office, code, done, fresh
from tests.factories import FIRST_DAY, StudentFactory, id_number
from workflows import CaseSpec, open_cases
from workflows.actors import SYSTEM
from workflows.flows.aid import AidFlow
from workflows.models import Record
from workflows.working_days import calendar

pytestmark = pytest.mark.django_db
HEADS = ["姓名", "身份证号", "异动类型", "异动日期", "转入学校", "备注"]


def record(office: Office, student: Any, kind: str, on: date = FIRST_DAY, **also: Any) -> actions.Recorded:
    return actions.record_event(actions.Change(student, kind, on, **also), office.school, office.officer)


def refusal(act: Any) -> str:
    with pytest.raises(Refused) as refused:
        act()
    assert str(refused.value)
    return refused.value.code


def waiting() -> AwardProposal:
    return AwardProposal.objects.get(state__in=["waiting", "to_second", "to_accept"])


@pytest.mark.parametrize(
    ("kind", "proposed", "reason"),
    [("leave", "suspend", "leave"), ("dropout", "terminate", "dropout"), ("death", "terminate", "death")],
)
def test_an_event_proposes_what_follows(office: Office, kind: str, proposed: str, reason: str) -> None:
    award = office.award()
    assert record(office, award.student, kind) == actions.Recorded(1, 1)
    proposal = waiting()
    assert (proposal.kind, proposal.reason_code, proposal.effective_on) == (proposed, reason, FIRST_DAY)
    assert proposal.event == EnrolmentEvent.objects.get()
    assert Message.objects.filter(recipient=office.reviewer.user, event="award_proposed").count() == 1


def test_a_return_proposes_to_resume(office: Office) -> None:
    award = office.suspended(office.award())
    record(office, award.student, "return")
    done(actions.confirm([waiting().pk], office.reviewer))
    assert fresh(award).state == "active"


def test_a_return_proposes_nothing_of_an_active_award(office: Office) -> None:
    assert record(office, office.award().student, "return") == actions.Recorded(1, 0)


def test_an_event_is_recorded_once(office: Office) -> None:
    award = office.award()
    record(office, award.student, "leave")
    assert refusal(lambda: record(office, award.student, "leave")) == "event_known"
    assert (EnrolmentEvent.objects.count(), AwardProposal.objects.count()) == (1, 1)


def test_what_a_school_records_is_its_own_pupils_and_has_happened(office: Office) -> None:
    pupil = office.award().student
    assert refusal(lambda: record(office, pupil, "leave", FIRST_DAY + timedelta(days=1))) == "date_ahead"
    assert refusal(lambda: record(office, pupil, "leave", date(1999, 1, 1))) == "date_too_old"
    assert refusal(lambda: record(office, pupil, "transfer")) == "goal_missing"
    assert refusal(lambda: record(office, pupil, "transfer", goal=actions.Goal(office.school))) == "same_school"
    assert refusal(lambda: record(office, StudentFactory(school=office.other), "leave")) == "not_of_school"
    with pytest.raises(PermissionDenied):
        actions.record_event(actions.Change(pupil, "leave", FIRST_DAY), office.school, office.receiver)


def test_a_later_event_overtakes_what_waits(office: Office) -> None:
    award = office.award()
    record(office, award.student, "leave")
    record(office, award.student, "dropout")
    assert list(AwardProposal.objects.order_by("pk").values_list("kind", "state")) == [
        ("suspend", "lapsed"), ("terminate", "waiting"),
    ]  # fmt: skip


# ---------------------------------------------------------------- nobody decides


def test_after_its_working_days_the_award_is_suspended_by_itself(office: Office) -> None:
    award = office.award()
    record(office, award.student, "dropout")
    due = calendar().after(FIRST_DAY, 5)
    assert waiting().due_on == due == date(2026, 9, 14)  # a weekend lies between
    office.today(due)
    assert actions.suspend_undecided() == 0
    office.today(due + timedelta(days=1))
    assert actions.suspend_undecided() == 1
    award = fresh(award)
    assert (award.state, award.stops_on, award.stopped_for) == ("suspended", FIRST_DAY, "undecided")
    assert waiting().state == "waiting"
    assert actions.suspend_undecided() == 0
    line = Record.objects.filter(about="award", about_id=award.pk).latest("pk")
    assert (line.act, line.actor, line.reason_code) == ("suspend", "", "undecided")
    for person in (office.officer, office.reviewer):
        assert Message.objects.filter(recipient=person.user, event="award_undecided").count() == 1


def test_how_many_days_is_the_programmes(office: Office) -> None:
    office.version.definition["award"] = {"decide_days": 2}
    office.version.digest = "two-days"
    office.version.save()
    record(office, office.award().student, "leave")
    assert waiting().due_on == date(2026, 9, 9)


def test_whoever_declines_it_later_makes_the_award_active_again(office: Office) -> None:
    award = office.award()
    record(office, award.student, "leave")
    office.today(date(2026, 9, 20))
    actions.suspend_undecided()
    done(actions.decline([waiting().pk], office.reviewer, "经核实该生仍在校就读，未办理休学。"))
    assert (fresh(award).state, fresh(award).stops_on) == ("active", None)
    assert office.batch().line_count == 1


def test_whoever_confirms_it_later_names_the_reason(office: Office) -> None:
    award = office.award()
    record(office, award.student, "leave")
    office.today(date(2026, 9, 20))
    actions.suspend_undecided()
    done(actions.confirm([waiting().pk], office.reviewer))
    assert (fresh(award).state, fresh(award).stopped_for, fresh(award).stops_on) == ("suspended", "leave", FIRST_DAY)


def test_a_return_is_not_suspended_for(office: Office) -> None:
    award = office.suspended(office.award())
    record(office, award.student, "return")
    assert waiting().due_on is None


def test_a_death_stops_payment_at_once(office: Office) -> None:
    award = office.award()
    record(office, award.student, "death")
    assert (fresh(award).state, fresh(award).stops_on) == ("suspended", FIRST_DAY)
    proposal = waiting()
    done(actions.confirm([proposal.pk], office.reviewer))
    done(actions.second([proposal.pk], office.second))
    assert (fresh(award).state, fresh(award).stopped_for) == ("terminated", "death")


# ---------------------------------------------------------------- changes of school


def test_within_the_county_the_award_follows_once_the_new_school_accepts(office: Office) -> None:
    award = office.award()
    record(office, award.student, "transfer", goal=actions.Goal(office.other))
    proposal = waiting()
    assert proposal.state == "to_accept"
    assert Message.objects.filter(recipient=office.receiver.user, event="award_to_accept").count() == 1
    assert code(actions.confirm([proposal.pk], office.reviewer)) == "not_waiting"
    assert code(actions.accept([proposal.pk], office.officer)) == "no_such_proposal"
    done(actions.accept([proposal.pk], office.receiver))
    award = fresh(award)
    assert (award.state, award.school, award.path) == ("active", office.other, office.other.path)
    assert Student.objects.get(pk=award.student_id).school == office.other


@pytest.mark.parametrize("paid_before", [True, False])
def test_a_transfer_pays_the_term_once(office: Office, paid_before: bool) -> None:
    award = office.award()
    if paid_before:
        office.pay()
    record(office, award.student, "transfer", goal=actions.Goal(office.other))
    done(actions.accept([waiting().pk], office.receiver))
    if not paid_before:
        batch = office.pay()
        assert batch.lines.get().school == office.other
    from approvals.disbursement.refusals import Refused as PaymentRefused

    with pytest.raises(PaymentRefused):
        office.batch()
    assert fresh(award).lines.count() == 1


def test_the_new_school_cannot_grant_the_same_again(office: Office) -> None:
    award = office.award()
    record(office, award.student, "transfer", goal=actions.Goal(office.other))
    done(actions.accept([waiting().pk], office.receiver))
    key = (award.student_id, award.group, award.span)
    from approvals.awards.actions.granting import excluded

    assert excluded([key])[key].pk == award.pk


def test_an_award_suspended_while_the_new_school_waited_goes_on(office: Office) -> None:
    award = office.award()
    record(office, award.student, "transfer", goal=actions.Goal(office.other))
    office.today(date(2026, 9, 20))
    actions.suspend_undecided()
    assert fresh(award).state == "suspended"
    done(actions.accept([waiting().pk], office.receiver))
    assert (fresh(award).state, fresh(award).school) == ("active", office.other)


def test_out_of_the_county_the_award_ends(office: Office) -> None:
    award = office.award()
    record(office, award.student, "transfer", goal=actions.Goal(None, "邯郸市某小学"))
    done(actions.confirm([waiting().pk], office.reviewer))
    award = fresh(award)
    assert (award.state, award.stops_on, award.taken) == ("transferred_out", FIRST_DAY, False)


def test_to_a_school_that_the_programme_does_not_cover_the_award_does_not_go(office: Office) -> None:
    office.other.stages = ["junior"]
    office.other.save()
    award = office.award()
    goal = actions.Goal(office.other)
    answers = actions.propose([award.pk], "transfer", "transfer", WHY, FIRST_DAY, office.officer, goal)
    assert code(answers) == "school_not_covered"
    record(office, award.student, "transfer", goal=goal)
    assert (waiting().state, waiting().to_school, waiting().to_place) == ("waiting", None, str(office.other))


# ---------------------------------------------------------------- lists


def book(rows: list[list[str]]) -> bytes:
    output = io.BytesIO()
    with xlsxwriter.Workbook(output, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        for place, row in enumerate([HEADS, *rows]):
            sheet.write_row(place, 0, row)
    return output.getvalue()


def row(student: Any, event: str, day: str = "2026-09-07", goal: str = "", remark: str = "") -> list[str]:
    return [student.name, str(student.id_number), event, day, goal, remark]


def test_a_list_is_looked_at_and_then_taken_over(office: Office) -> None:
    awards = [office.award() for _ in range(3)]
    content = book([
        row(awards[0].student, "休学"), row(awards[1].student, "辍学", remark="随父母外出"),
        row(awards[2].student, "转学", goal=office.other.name),
    ])  # fmt: skip
    kept = actions.upload(content, "异动.xlsx", office.school, office.officer)
    assert (kept.state, kept.rows, kept.valid, kept.problems) == ("previewed", 3, 3, [])
    assert kept.counts == {"leave": 1, "dropout": 1, "transfer": 1}
    assert not EnrolmentEvent.objects.exists()
    assert actions.confirm_list(kept.pk, office.officer) == actions.Recorded(3, 3)
    kept.refresh_from_db()
    assert (kept.state, kept.content, kept.recorded) == ("loaded", None, 3)
    assert AwardProposal.objects.get(kind="transfer").to_school == office.other
    assert refusal(lambda: actions.upload(content, "异动.xlsx", office.school, office.officer)) == "list_known"
    assert refusal(lambda: actions.confirm_list(kept.pk, office.officer)) == "wrong_list_state"


def test_the_rows_of_another_list_that_are_on_record_are_left_alone(office: Office) -> None:
    awards = [office.award() for _ in range(2)]
    record(office, awards[0].student, "leave")
    kept = actions.upload(
        book([row(each.student, "休学") for each in awards]), "异动.xlsx", office.school, office.officer
    )
    assert actions.confirm_list(kept.pk, office.officer) == actions.Recorded(1, 1)


def test_every_problem_is_told_by_row_and_column(office: Office) -> None:
    pupil, stranger = office.pupil(), StudentFactory(school=office.other)
    content = book([
        row(pupil, "旷课"), row(pupil, "休学", "昨天"), row(pupil, "休学", "2027-01-01"), row(pupil, "转学"),
        ["某某", "130499201203050011", "休学", "2026-09-07", "", ""], row(stranger, "休学"), row(pupil, "休学", ""),
    ])  # fmt: skip
    kept = actions.upload(content, "异动.xlsx", office.school, office.officer)
    assert (kept.rows, kept.valid) == (7, 0)
    assert [(each["row"], each["column"]) for each in kept.problems] == [
        (2, "异动类型"), (3, "异动日期"), (4, "异动日期"), (5, "转入学校"), (6, "身份证号"), (7, "身份证号"),
        (8, "异动日期"),
    ]  # fmt: skip
    assert all(each["message"]["zh-hans"] and each["message"]["en"] for each in kept.problems)
    assert refusal(lambda: actions.confirm_list(kept.pk, office.officer)) == "no_valid_row"


def test_what_is_no_such_list_is_refused_with_a_sentence(office: Office) -> None:
    with pytest.raises(RosterUnreadable) as refused:
        actions.upload("姓名,电话\n张三,1\n".encode(), "名单.csv", office.school, office.officer)
    assert refused.value.message
    assert not EventList.objects.exists()


def test_a_list_can_be_thrown_away(office: Office) -> None:
    kept = actions.upload(book([row(office.pupil(), "休学")]), "异动.xlsx", office.school, office.officer)
    actions.discard_list(kept.pk, office.officer)
    kept.refresh_from_db()
    assert (kept.state, kept.content) == ("discarded", None)
    assert refusal(lambda: actions.confirm_list(kept.pk, office.officer)) == "wrong_list_state"


def statements(office: Office, count: int) -> int:
    """How many statements it takes to record, confirm and so suspend so many."""
    students = [office.award().student for _ in range(count)]
    changes = [actions.Change(student, "leave", FIRST_DAY) for student in students]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        actions.record_events(changes, office.school, office.officer)
        proposals = list(AwardProposal.objects.filter(state="waiting").values_list("pk", flat=True))
        done(actions.confirm(proposals, office.reviewer))
    assert Award.objects.filter(student__in=students, state="suspended").count() == count
    return len(asked)


def test_the_statements_do_not_grow_with_the_list(office: Office) -> None:
    assert statements(office, 8) == statements(office, 2)


def test_ten_thousand_are_suspended_by_one_list_in_few_statements(office: Office) -> None:
    count = 10_000
    pattern = office.award()
    families = (
        Family(
            f"L{n}",
            "示例村",
            3,
            pupils=[
                Pupil(
                    "某某",
                    id_number(date(2014, 1 + n % 12, 1 + n // 12 % 28), n // 336),
                    office.school.pk,
                    "primary",
                    "五年级",
                    "1班",
                )
            ],
        )
        for n in range(count)
    )
    take_over(families)
    students = list(Student.objects.exclude(pk=pattern.student_id).only("school"))
    cases = open_cases(AidFlow, [CaseSpec(path=office.school.path) for _ in students], SYSTEM)
    Award.objects.bulk_create(
        Award(
            case_id=case,
            student=student,
            school=office.school,
            path=office.school.path,
            version=office.version,
            programme=pattern.programme,
            group=pattern.group,
            school_year=pattern.school_year,
            span=pattern.span,
            ends_on=pattern.ends_on,
            kind=pattern.kind,
            state="active",
            granted_at=pattern.granted_at,
        )
        for case, student in zip(cases, students, strict=True)
    )
    changes = [actions.Change(student, "leave", FIRST_DAY) for student in students]
    with CaptureQueriesContext(connection) as asked:
        assert actions.record_events(changes, office.school, office.officer) == actions.Recorded(count, count)
        proposals = list(AwardProposal.objects.values_list("pk", flat=True))
        done(actions.confirm(proposals, office.reviewer))
    assert Award.objects.filter(state="suspended", stopped_for="leave").count() == count
    assert len(asked) <= 80  # of which most are pieces of 2,000 rows each
