"""Each standing query: what it finds, what it leaves alone, in how many statements."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from approvals.applications.models import Application
from approvals.awards.models import Award, AwardTerm
from approvals.disbursement.models import Batch, PaymentLine
from approvals.notices.archive.models import Dossier
from approvals.notices.models import Notice, NoticeLine
from approvals.organisations.models import Organisation
from approvals.oversight.actions import look_now
from approvals.oversight.audits.registry import audit_of, audits
from approvals.oversight.models import Finding
from approvals.people.models import Student
from approvals.programmes.models import Rate, Window
from tests.approvals.oversight.conftest import County
from tests.factories import TERM, StudentFactory
from workflows import record
from workflows.actors import SYSTEM
from workflows.clock import now
from workflows.models import Case

Scenario = Callable[[County], Any]
SPRING = "2026-2027-2"


def _not_on_roll(county: County) -> None:
    Student.objects.filter(pk=county.paid().student_id).update(verified=False)


def _school_not_open(county: County) -> None:
    Organisation.objects.filter(pk=county.paid().school_id).update(valid_to=date(2026, 7, 1))


def _late(county: County) -> None:
    county.paid(paid_on=date(2026, 10, 30))


def _not_paid(county: County) -> None:
    award = county.award()
    Award.objects.filter(pk=award.pk).update(granted_at="2026-03-02T09:00+08:00")
    AwardTerm.objects.filter(award=award, term=TERM).update(term="2025-2026-2")


def _batch_total(county: County) -> None:
    Batch.objects.filter(pk=county.paid().batch_id).update(total=Decimal("1.00"))


def _other_payee(county: County) -> None:
    county.paid(payee="李老师")


def _other_holder(county: County) -> None:
    line = county.paid()
    from approvals.people import registers

    row = registers.Row(bytes(line.account_hash or b""), "", name="赵某")
    registers.load_list("account_holder", "某行", date(2026, 8, 31), [row])


def _shared(county: County) -> None:
    first = county.paid()
    for _ in range(2):
        county.paid(account_hash=first.account_hash)


def _twice(county: County) -> None:
    line = county.paid()
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX nothing_paid_twice")
    county.paid(line.award)


def _group_twice(county: County) -> None:
    line = county.paid()
    county.paid(line.award, programme="living_subsidy_day")


def _incomplete(county: County) -> None:
    Application.objects.filter(pk=county.award().case_id).update(consent_on=None)


def _not_concluded(county: County) -> None:
    Case.objects.filter(pk=county.paid().case_id).update(noticed=[])


def _no_posting(county: County) -> Notice:
    line = county.paid()
    notice = Notice.objects.create(
        state="concluded", step="school_notice", organisation=county.school, path=county.school.path, title="公示",
        programme=county.version.programme, term=TERM, subject="x", kind="x", body="", columns=[], days=5,
        drafted_by=county.head.user, drafted_person=county.head.user.person, signed_by=county.officer.user,
        signed_person=county.officer.user.person, published_at=now(), ends_on=date(2026, 9, 7), sha256="x",
        public_id="x",
    )  # fmt: skip
    NoticeLine.objects.create(notice=notice, case=line.case, number=1, step="school_notice")
    return notice


def _deceased(county: County, on: str = "2026-08-02") -> PaymentLine:
    line = county.paid()
    county.register("deceased", line.student, told=f'{{"on": "{on}"}}')
    return line


def _deceased_waived(county: County) -> None:
    line = _deceased(county)
    from approvals.applications.models import Hit

    Hit.objects.create(application_id=line.case_id, source="deceased", code="deceased", waived_at=now())


def _amount_differs(county: County) -> None:
    county.paid(amount=Decimal("600.00"))


def _rate_not_in_force(county: County) -> None:
    line = county.paid()
    Rate.objects.create(version=county.version, first_term=TERM, amount=Decimal("625.00"), source="示例")
    assert line.rate is not None
    assert line.rate.first_term < TERM


def _no_rate(county: County) -> None:
    county.paid(rate=None)


def _closed() -> None:
    Window.objects.update(closes_on=date(2026, 9, 1))


def _not_aided(county: County) -> None:
    _closed()
    county.register("poor_households", StudentFactory(school=county.school), category="dibao")


def _interrupted(county: County) -> None:
    award = county.award()
    _closed()
    award.terms.exclude(term=TERM).delete()
    award.terms.update(term="2025-2026-2")
    county.register("poor_households", award.student, category="dibao")
    Application.objects.filter(pk=award.case_id).update(school_year="2025-2026")


def _overstated(county: County) -> None:
    county.award(special_groups=["dibao"])
    county.register("poor_households")


def _other_kind(county: County) -> None:
    county.paid(kind="cash", batch=county.batch(kind="cash"))


def _no_account(county: County) -> None:
    county.paid(account_hash=None)


def _other_than_batch(county: County) -> None:
    county.paid(batch=county.batch(kind="fee_waiver_settlement"))


def _differs(county: County) -> None:
    county.paid(paid_on=date(2026, 8, 20))


def _no_day(county: County) -> None:
    county.paid(paid_on=None)


def _ended(county: County) -> None:
    line = county.paid()
    Award.objects.filter(pk=line.award_id).update(state="terminated", stops_on="2026-09-07")
    record.write("terminate", "award", [line.award_id], SYSTEM, states=("active", "terminated"))
    PaymentLine.objects.filter(pk=line.pk).update(term=SPRING)


def _dual(county: County) -> None:
    county.register("dual_enrolment", county.paid().student, told='{"school": "邻县小学"}', name="邻县小学")


def _dual_waived(county: County) -> None:
    from approvals.applications.models import Hit

    line = county.paid()
    county.register("dual_enrolment", line.student, told='{"school": "邻县小学"}', name="邻县小学")
    Hit.objects.create(application_id=line.case_id, source="dual_enrolment", code="dual_enrolment", waived_at=now())


FOUND: dict[str, dict[str, Scenario]] = {
    "A1": {"not_on_roll": _not_on_roll, "school_not_open": _school_not_open},
    "A2": {"late": _late, "not_paid": _not_paid, "batch_total": _batch_total},
    "A4": {"other_payee": _other_payee, "other_holder": _other_holder, "shared": _shared},
    "A5": {"twice": _twice, "group_twice": _group_twice},
    "A6": {"incomplete": _incomplete},
    "A7": {"not_concluded": _not_concluded, "no_posting": _no_posting},
    "A8": {"deceased": _deceased, "deceased_waived": _deceased_waived},
    "A9": {"amount_differs": _amount_differs, "rate_not_in_force": _rate_not_in_force, "no_rate": _no_rate},
    "A10": {"not_aided": _not_aided, "interrupted": _interrupted},
    "A12": {"overstated": _overstated},
    "A13": {"other_kind": _other_kind, "no_account": _no_account, "other_than_batch": _other_than_batch},
    "A14": {"differs": _differs, "no_day": _no_day},
    "A15": {"ended": _ended, "dual": _dual, "dual_waived": _dual_waived},
}
"""By query and code, a county in which it is found."""


def test_every_code_of_every_judged_query_has_a_scenario() -> None:
    assert [audit.code for audit in audits()] == [f"A{n}" for n in range(1, 16)]
    assert {audit.code: set(audit.says) for audit in audits() if audit.judged} == {
        code: set(scenarios) for code, scenarios in FOUND.items()
    }


@pytest.mark.parametrize("audit", audits(), ids=lambda audit: audit.code)
def test_what_is_not_judged_says_so(audit: Any) -> None:
    assert audit.judged or audit.gaps
    assert audit.title
    assert audit.asks
    assert audit.law
    assert audit.deadline > 0


@pytest.mark.parametrize(("query", "code"), [(query, code) for query, scenarios in FOUND.items() for code in scenarios])
def test_it_is_found(county: County, query: str, code: str) -> None:
    FOUND[query][code](county)
    look_now([query])
    finding = Finding.objects.filter(query=query, code=code).order_by("pk").first()
    assert finding is not None
    audit = audit_of(query)
    assert audit is not None
    assert str(audit.says[code]) % finding.said
    assert finding.path == (county.school.path if audit.owner == "school" else county.county.path)


def test_money_that_left_as_it_should_is_no_finding(county: County) -> None:
    line = county.paid()
    for kind in ("deceased", "dual_enrolment"):
        county.register(kind)
    county.register("poor_households", line.student, category="dibao")
    assert {query: each["found"] for query, each in look_now().items()} == dict.fromkeys(FOUND, 0)


@pytest.mark.parametrize(
    ("query", "nearly"),
    [
        ("A2", lambda county: county.paid(paid_on=date(2026, 9, 30))),
        ("A4", lambda county: county.paid(payee="王大山")),
        ("A8", lambda county: _deceased(county, "2026-09-02")),
        ("A7", lambda county: Dossier.objects.create(notice=_no_posting(county), proof="张贴于校门口公示栏。")),
        ("A10", lambda county: county.register("poor_households", StudentFactory(school=county.school))),
        ("A14", lambda county: county.paid(paid_on=date(2027, 1, 20))),
    ],
)  # fmt: skip
def test_what_comes_near_is_left_alone(county: County, query: str, nearly: Scenario) -> None:
    """Guardians are paid; who died during a term was alive at its beginning; nobody is missing in an open window."""
    nearly(county)
    assert look_now([query])[query]["found"] == 0


def test_a_second_payment_is_refused_by_the_database(county: County) -> None:
    line = county.paid()
    with pytest.raises(IntegrityError), transaction.atomic():
        county.paid(line.award)


def test_an_account_within_one_household_is_not_shared(county: County) -> None:
    first = county.paid()
    for _ in range(2):
        student = StudentFactory(school=county.school, household=first.student.household)
        county.paid(county.award(student=student), account_hash=first.account_hash)
    assert look_now(["A4"])["A4"]["found"] == 0


@pytest.mark.parametrize("code", list(FOUND))
def test_the_number_of_statements_does_not_grow_with_what_is_found(county: County, code: str) -> None:
    scenario = next(iter(FOUND[code].values()))
    scenario(county)
    with CaptureQueriesContext(
        connection,
    ) as first:
        look_now([code])
    if code not in ("A5", "A8", "A10", "A12"):
        scenario(county)
    with CaptureQueriesContext(connection) as second:
        look_now([code])
    assert len(second) <= len(first) + 2 < 40
