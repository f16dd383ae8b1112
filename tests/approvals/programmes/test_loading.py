"""Loading programmes again changes nothing; a changed rule makes a new version and touches no older one."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from approvals.organisations.actions import load_organisations
from approvals.organisations.queries import school_by_code
from approvals.programmes import queries
from approvals.programmes.actions import load_programmes, load_quotas
from approvals.programmes.definition import DefinitionError
from approvals.programmes.models import Programme, ProgrammeVersion, Quota, Rate, Window
from workflows.models import Record

pytestmark = pytest.mark.django_db
FOLDER = Path(settings.BASE_DIR) / "fixtures" / "programmes"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in FOLDER.glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def edit(folder: Path, code: str, old: str, new: str) -> None:
    [path] = folder.glob(f"*_{code}.yaml")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def rate(code: str, term: str, stage: str = "", tier: str = "") -> Decimal | None:
    [version] = queries.current(code)
    found = queries.rate_for(version, term, stage, tier)
    return found and found.amount


def test_loading_twice_changes_nothing() -> None:
    assert len(load_programmes()) == 6
    before = list(Rate.objects.values_list("pk", flat=True)), Window.objects.count()
    assert load_programmes() == []
    assert (list(Rate.objects.values_list("pk", flat=True)), Window.objects.count()) == before
    assert Record.objects.filter(act="publish_version").count() == 6


def test_a_changed_rate_is_a_new_version_and_the_old_one_stays(folder: Path) -> None:
    load_programmes(folder)
    [old] = queries.current("living_subsidy_boarder")
    edit(folder, "living_subsidy_boarder", 'stage: primary, amount: "625.00"', 'stage: primary, amount: "700.00"')
    assert load_programmes(folder) == ["living_subsidy_boarder 2"]
    old.refresh_from_db()
    assert queries.rate_for(old, "2026-2027-1", "primary").amount == Decimal("625.00")
    assert rate("living_subsidy_boarder", "2026-2027-1", "primary") == Decimal("700.00")
    assert ProgrammeVersion.objects.get(programme="living_subsidy_boarder", number=1) == old
    assert ProgrammeVersion.objects.exclude(number=1).count() == 1


def test_a_rule_changed_back_is_a_third_version(folder: Path) -> None:
    load_programmes(folder)
    edit(folder, "voc_state_grant", "data_check, ", "")
    load_programmes(folder)
    edit(folder, "voc_state_grant", "steps: [school_notice, ", "steps: [school_notice, data_check, ")
    assert load_programmes(folder) == ["voc_state_grant 3"]
    versions = ProgrammeVersion.objects.filter(programme="voc_state_grant").order_by("number")
    assert versions[0].digest == versions[2].digest != versions[1].digest


def test_a_moved_window_is_no_new_version(folder: Path) -> None:
    load_programmes(folder)
    edit(folder, "senior_state_grant", "closes_on: 2026-09-30", "closes_on: 2026-10-15")
    assert load_programmes(folder) == []
    assert queries.window_for("senior_state_grant", "2026-2027-1").closes_on == date(2026, 10, 15)


def test_a_window_taken_out_of_the_file_is_gone(folder: Path) -> None:
    load_programmes(folder)
    edit(folder, "senior_state_grant", "  - {term: 2026-2027-2, opens_on: 2027-03-01, closes_on: 2027-03-31}\n", "")
    load_programmes(folder)
    assert queries.window_for("senior_state_grant", "2026-2027-2") is None
    assert queries.window_for("voc_state_grant", "2026-2027-2") is not None


def test_one_wrong_file_and_nothing_is_loaded(folder: Path) -> None:
    edit(folder, "tuition_waiver_registered", "order: 40", "order: forty")
    with pytest.raises(DefinitionError):
        load_programmes(folder)
    assert not Programme.objects.exists()


def test_a_group_is_called_the_same_in_every_file(folder: Path) -> None:
    edit(folder, "voc_state_grant", "group_name: 国家助学金", "group_name: 助学金")
    with pytest.raises(DefinitionError, match="state_grant is called otherwise"):
        load_programmes(folder)


# ---------------------------------------------------------------- rates by term (DOMAIN.md §2.4)


@pytest.mark.parametrize(
    ("code", "term", "stage", "amount"),
    [
        ("living_subsidy_boarder", "2023-2024-1", "primary", "500.00"),
        ("living_subsidy_boarder", "2023-2024-2", "primary", "625.00"),
        ("living_subsidy_boarder", "2026-2027-1", "primary", "625.00"),
        ("living_subsidy_boarder", "2023-2024-1", "junior", "625.00"),
        ("living_subsidy_boarder", "2023-2024-2", "junior", "750.00"),
        ("living_subsidy_day", "2023-2024-1", "primary", "250.00"),
        ("living_subsidy_day", "2023-2024-2", "primary", "312.50"),
        ("living_subsidy_day", "2023-2024-1", "junior", "312.50"),
        ("living_subsidy_day", "2023-2024-2", "junior", "375.00"),
        ("voc_state_grant", "2024-2025-1", "voc", "1000.00"),
        ("voc_state_grant", "2024-2025-2", "voc", "1150.00"),
        ("tuition_waiver_registered", "2026-2027-1", "voc", "800.00"),
    ],
)
def test_the_rate_is_that_of_the_term(code: str, term: str, stage: str, amount: str) -> None:
    load_programmes()
    assert rate(code, term, stage) == Decimal(amount)


def test_rates_changed_in_the_middle_of_a_school_year() -> None:
    load_programmes()
    autumn, spring = (rate("living_subsidy_boarder", term, "junior") for term in ("2023-2024-1", "2023-2024-2"))
    assert autumn != spring


def test_there_is_no_rate_before_the_first_term_nor_for_another_stage() -> None:
    load_programmes()
    assert rate("living_subsidy_boarder", "2018-2019-2", "primary") is None
    assert rate("living_subsidy_boarder", "2026-2027-1", "senior") is None
    assert rate("hardship_recognition", "2026-2027-1", "primary") is None


def test_the_senior_grant_has_three_tiers_around_its_average() -> None:
    load_programmes()
    [version] = queries.current("senior_state_grant")
    amounts = queries.amounts_for(version, "2026-2027-1", "senior")
    assert {tier: rate.amount for tier, rate in amounts.items()} == {
        "tier_3": Decimal("750.00"), "tier_2": Decimal("1150.00"), "tier_1": Decimal("1500.00"),
    }  # fmt: skip
    assert version.rules.quota.average == Decimal("1150.00")
    assert rate("senior_state_grant", "2024-2025-1", "senior", "tier_2") == Decimal("1000.00")


# ---------------------------------------------------------------- what can be applied for


def test_a_group_is_its_programmes_and_a_programme_itself() -> None:
    load_programmes()
    codes = {code: [version.programme_id for version in queries.current(code)] for code in
             ("living_subsidy", "state_grant", "voc_state_grant", "hardship_recognition", "no_such")}  # fmt: skip
    assert codes == {
        "living_subsidy": ["living_subsidy_boarder", "living_subsidy_day"],
        "state_grant": ["senior_state_grant", "voc_state_grant"],
        "voc_state_grant": ["voc_state_grant"],
        "hardship_recognition": ["hardship_recognition"],
        "no_such": [],
    }


@pytest.mark.parametrize(
    ("day", "opened"),
    [("2026-08-31", False), ("2026-09-01", True), ("2026-09-07", True), ("2026-09-30", True), ("2026-10-01", False)],
)
def test_a_window_holds_on_its_first_and_last_day(day: str, opened: bool) -> None:
    load_programmes()
    for code in ("living_subsidy", "living_subsidy_day", "senior_state_grant"):
        assert queries.is_open(code, "2026-2027-1", date.fromisoformat(day)) is opened


def test_another_terms_window_does_not_count() -> None:
    load_programmes()
    assert not queries.is_open("living_subsidy", "2025-2026-1", date(2026, 9, 7))
    assert not queries.is_open("no_such", "2026-2027-1", date(2026, 9, 7))


def test_looking_up_a_rate_is_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    load_programmes()
    [version] = queries.current("living_subsidy_day")
    with django_assert_num_queries(1):
        queries.rate_for(version, "2026-2027-1", "primary")
    with django_assert_num_queries(1):
        queries.current()


def test_recognition_moves_no_money_and_passes_no_leader() -> None:
    load_programmes()
    rules = queries.current("hardship_recognition")[0].rules
    assert rules.steps == ["school_notice", "township_review"]
    assert rules.disbursement == "none"
    assert list(rules.notices) == ["school_notice"]


def test_quotas_follow_their_file() -> None:
    load_organisations()
    load_programmes()
    load_quotas()
    load_quotas()
    school = school_by_code("3413049990", date(2026, 9, 7))
    assert queries.headcount("senior_state_grant", school.pk, "2026-2027") == 120
    assert queries.headcount("senior_state_grant", school.pk, "2027-2028") is None
    assert Quota.objects.count() == 2


def test_a_quota_for_a_programme_without_one_is_refused(tmp_path: Path) -> None:
    load_organisations()
    load_programmes()
    file = tmp_path / "quotas.yaml"
    file.write_text('- {programme: voc_state_grant, school_year: 2026-2027, headcounts: {"3613049980": 5}}')
    with pytest.raises(DefinitionError, match="has no quota"):
        load_quotas(file)


def test_a_quota_for_an_unknown_school_is_refused(tmp_path: Path) -> None:
    load_organisations()
    load_programmes()
    file = tmp_path / "quotas.yaml"
    file.write_text('- {programme: senior_state_grant, school_year: 2026-2027, headcounts: {"3413040000": 5}}')
    with pytest.raises(DefinitionError, match="no school 3413040000"):
        load_quotas(file)


def test_a_group_has_a_name_in_both_languages() -> None:
    load_programmes()
    assert queries.group_name("living_subsidy") == "义务教育生活补助"
    assert queries.group_name("state_grant", "en") == "State grant"
    assert queries.group_name("no_such") == "no_such"
