"""The county's offices and schools: loaded from data, found by code and place, known by earlier names."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from approvals.organisations import queries
from approvals.organisations.actions import load_organisations
from approvals.organisations.county_file import CountyFileError, read_file
from approvals.organisations.models import FormerName, Kind, Organisation, SchoolForm
from approvals.people.identity import phone_problem
from workflows.models import Record

pytestmark = pytest.mark.django_db
FILE = Path(settings.BASE_DIR) / "fixtures" / "organisations" / "jize.yaml"
TODAY = date(2026, 9, 7)


def changed(tmp_path: Path, change: Any) -> Path:
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    change(data)
    path = tmp_path / "county.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


def test_the_county_has_its_seven_townships_and_sixty_schools() -> None:
    load_organisations()
    assert queries.county().code == "130431"
    townships = Organisation.objects.filter(kind=Kind.TOWNSHIP).values_list("code", "name")
    assert dict(townships) == {
        "130431100": "鸡泽镇", "130431101": "小寨镇", "130431102": "双塔镇", "130431103": "曹庄镇",
        "130431104": "浮图店镇", "130431105": "吴官营镇", "130431202": "风正乡",
    }  # fmt: skip
    assert Organisation.objects.filter(kind=Kind.SCHOOL).count() == 60


def test_every_township_has_a_central_school_a_junior_school_village_schools_and_a_teaching_point() -> None:
    load_organisations()
    for township in Organisation.objects.filter(kind=Kind.TOWNSHIP):
        schools = queries.schools_under([township.path])
        forms = [school.form for school in schools]
        assert forms.count(SchoolForm.CENTRAL) == 1
        assert forms.count(SchoolForm.VILLAGE) >= 4
        assert SchoolForm.TEACHING_POINT in forms
        assert any(school.stages == ["junior"] for school in schools)


def test_no_code_phone_or_contact_is_real_or_missing() -> None:
    load_organisations()
    for school in Organisation.objects.filter(kind=Kind.SCHOOL):
        assert school.code[2:8] == "130499"
        assert school.contact
        assert school.contact_phone.startswith("0310-0")  # no local number starts with 0
        assert phone_problem(school.contact_phone) is None


def test_the_tree_is_as_treebeard_would_have_grown_it(tmp_path: Path) -> None:
    load_organisations()
    assert Organisation.objects.find_problems() == ([], [], [], [], [])
    county = queries.county()
    assert county.numchild == 14
    assert [each.name for each in Organisation.objects.get_children(county)][-1] == "风正乡"

    def add(data: Any) -> None:
        data["townships"][6]["schools"].append(
            {"code": "2113049989", "name": "风正乡新建小学", "form": "village_school", "stages": ["primary"]}
        )

    assert load_organisations(changed(tmp_path, add)) == ["2113049989"]
    assert Organisation.objects.find_problems() == ([], [], [], [], [])
    assert queries.township_of(queries.school_by_code("2113049989", TODAY)).name == "风正乡"


def test_loading_twice_changes_nothing_and_is_recorded_once() -> None:
    new = load_organisations()
    before = list(Organisation.objects.order_by("path").values_list("path", "code", "name"))
    assert load_organisations() == []
    assert list(Organisation.objects.order_by("path").values_list("path", "code", "name")) == before
    assert Record.objects.filter(act="add_organisation").count() == len(new) == 68
    assert FormerName.objects.count() == 2


def test_a_school_that_the_file_closed_is_not_added_again(tmp_path: Path) -> None:
    load_organisations()

    def close(data: Any) -> None:
        data["townships"][0]["schools"][3]["valid_to"] = date(2026, 7, 31)

    file = changed(tmp_path, close)
    for _ in range(3):
        assert load_organisations(file) == []
    assert Organisation.objects.get(code="2113049902").valid_to == date(2026, 7, 31)


def test_of_a_closed_and_a_present_bearer_of_a_code_the_present_one_follows_the_file() -> None:
    load_organisations()
    present = Organisation.objects.get(code="2113049902")
    old = Organisation(code=present.code, name="旧柳溪小学", kind=Kind.SCHOOL)
    old.valid_from, old.valid_to = date(2000, 1, 1), date(2020, 7, 31)
    closed = Organisation.objects.add_child(queries.county(), instance=old)
    assert load_organisations() == []
    closed.refresh_from_db()
    assert (closed.name, closed.valid_to) == ("旧柳溪小学", date(2020, 7, 31))


def test_a_renamed_school_keeps_its_key_and_place(tmp_path: Path) -> None:
    load_organisations()
    school = queries.school_by_code("2113049902", TODAY)

    def rename(data: Any) -> None:
        data["townships"][0]["schools"][3]["name"] = "鸡泽镇柳溪实验小学"

    load_organisations(changed(tmp_path, rename))
    again = queries.school_by_code("2113049902", TODAY)
    assert (again.pk, again.path, again.name) == (school.pk, school.path, "鸡泽镇柳溪实验小学")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data["county"].update(code="13043"), "county.code"),
        (lambda data: data["townships"][2]["schools"][0].update(stages=["senior"]), "is not that of a school"),
        (lambda data: data["townships"][2]["schools"][0].update(form="academy"), "unknown form"),
        (lambda data: data["townships"][2]["schools"][0].update(colour="red"), "colour"),
        (lambda data: data["townships"][2]["schools"][0].update(code="2113049901"), "2113049901 is given twice"),
    ],
)
def test_a_wrong_file_is_refused_whole(tmp_path: Path, change: Any, says: str) -> None:
    with pytest.raises(CountyFileError, match=says) as refused:
        load_organisations(changed(tmp_path, change))
    assert str(refused.value).startswith("county.yaml: ")
    assert not Organisation.objects.exists()


def test_the_file_itself_is_valid() -> None:
    assert len(list(read_file(FILE).offices())) == 68


# ---------------------------------------------------------------- finding


def test_the_schools_of_the_demo_stand_where_the_walk_needs_them() -> None:
    load_organisations()
    central = queries.school_by_code("2113049901", TODAY)
    senior = queries.school_by_code("3413049990", TODAY)
    assert (central.name, central.boarding) == ("鸡泽县示例中心小学", True)
    assert queries.township_of(central).name == "鸡泽镇"
    assert not queries.is_county_direct(central)
    assert (senior.name, queries.township_of(senior)) == ("鸡泽县第一中学", None)
    assert queries.is_county_direct(senior)


def test_a_code_is_nobodys_or_an_offices_and_no_schools() -> None:
    load_organisations()
    assert queries.school_by_code("2113049999", TODAY) is None
    assert queries.school_by_code("130431100", TODAY) is None
    assert queries.by_code("130431100", TODAY).name == "鸡泽镇"


def test_a_township_is_found_by_the_code_it_had_and_called_as_it_was() -> None:
    load_organisations()
    township = queries.by_code("130431104", TODAY)
    assert queries.by_code("130431200", date(2016, 9, 1)) == township
    assert queries.by_code("130431200", TODAY) is None
    assert queries.name_on(township, date(2016, 9, 1)) == "浮图店乡"
    assert queries.name_on(township, TODAY) == "浮图店镇"


def test_a_closed_school_is_found_only_in_its_time() -> None:
    load_organisations()
    Organisation.objects.filter(code="2113049902").update(valid_to=date(2026, 7, 31))
    assert queries.school_by_code("2113049902", date(2026, 7, 31)) is not None
    assert queries.school_by_code("2113049902", TODAY) is None
    below = queries.county().path
    assert queries.schools_under([below]).count() == queries.schools_under([below], TODAY).count() + 1


def test_only_what_stands_under_a_township_passes_its_review(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    load_organisations()
    central = queries.school_by_code("2113049901", TODAY).path
    senior = queries.school_by_code("3413049990", TODAY).path
    with django_assert_num_queries(1):
        assert queries.below_township([central, senior]) == {central}


def test_schools_under_no_office_are_none() -> None:
    load_organisations()
    assert not queries.schools_under([]).exists()
    assert not queries.offices_under([]).exists()
