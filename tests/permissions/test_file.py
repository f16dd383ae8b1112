"""The file of permissions: what it may say, what it grants no machine can undo, and that the docs tell the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.organisations import authority
from approvals.organisations.models import Organisation
from approvals.organisations.permissions_file import PermissionsFileError, read_file
from approvals.organisations.roles import NAMES, matrix
from approvals.review.permission_words import markdown
from project.permission_checks import disagreements
from tests.factories import CountyFactory, SchoolFactory, TownshipFactory, acting, at_step, person, set_training_date
from workflows import Reason, allowed, decide
from workflows.actors import Actor, LiteralActor
from workflows.acts import Claim, perform
from workflows.queries import open_item_of

FILE = Path(settings.BASE_DIR) / "fixtures" / "permissions.yaml"


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Callable[[Any], None]], Any]:
    """Reads the file as somebody has changed it."""

    def read(change: Callable[[Any], None]) -> Any:
        data = json.loads(json.dumps(yaml.safe_load(FILE.read_text(encoding="utf-8"))))  # no part stands in two places
        change(data)
        path = tmp_path / "permissions.yaml"
        path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        return read_file(path)

    return read


def test_the_file_in_force_is_read_and_agrees_with_the_state_machines() -> None:
    stated = read_file(FILE)
    assert list(disagreements(stated)) == []
    assert set(stated.may) == set(NAMES)
    assert len(stated.acts) == sum(len(family.acts) for family in stated.families)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: d["roles"]["auditor"]["may"].append("fly"), "the role auditor may fly, which is no permission"),
        (lambda d: d["roles"]["auditor"].update(reach=["above"]), "roles.auditor.reach.0: Input should be 'own' or"),
        (lambda d: d["roles"]["auditor"].update(at=["province"]), "roles.auditor.at.0"),
        (lambda d: d["roles"]["auditor"].pop("may"), "roles.auditor.may: Field required"),
        (lambda d: d["incompatible"].append(["pilot"]), "incompatible names pilot, which is no role"),
        (lambda d: d["roles"]["administrator"].update(may=[]), "nobody holds the permission manage_posts"),
        (lambda d: d["permissions"].update(fly={"zh": "飞", "en": "fly"}), "no act needs the permission fly"),
        (
            lambda d: d["families"]["batch"]["acts"]["check"]["in"].update(draft="fly"),
            "batch.check in draft needs fly, which is no permission",
        ),
        (lambda d: d["families"]["batch"]["acts"]["check"].pop("in"), "families.batch.acts.check.in: Field required"),
        (lambda d: d["families"]["batch"].update(colour="red"), "families.batch.colour: Extra inputs"),
    ],
)
def test_a_wrong_file_is_refused_with_a_sentence_that_says_where(
    change: Callable[[Any], None], sentence: str, changed: Callable[..., Any]
) -> None:
    with pytest.raises(PermissionsFileError) as error:
        changed(change)
    assert sentence in str(error.value)
    assert str(error.value).startswith("permissions.yaml: ")


def test_what_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "permissions.yaml"
    path.write_text("roles: [", encoding="utf-8")
    with pytest.raises(PermissionsFileError) as error:
        read_file(path)
    assert str(error.value).startswith("permissions.yaml: ")


@pytest.mark.parametrize(
    ("family", "act", "state", "permission", "sentence"),
    [
        ("case", "approve", "draft", "review_school", "case.approve is granted in draft"),
        ("case", "approve", "recheck", "review_county", "needs ['review_county'], for AidCase ['recheck_county']"),
        ("batch", "approve", "draft", "approve_batch", "batch.approve is granted in draft"),
        ("batch", "check", "submitted", "make_batch", "needs ['make_batch'], for Batch ['check_batch']"),
        ("school_notice", "publish", "draft", "sign_school_notice", "school_notice.publish is granted in draft"),
        ("post", "approve", "declined", "manage_posts", "post.approve is granted in declined"),
    ],
)
def test_nothing_is_granted_that_the_state_machine_does_not_know(
    family: str, act: str, state: str, permission: str, sentence: str, changed: Callable[..., Any]
) -> None:
    wrong = changed(lambda data: data["families"][family]["acts"][act]["in"].update({state: permission}))
    [found] = disagreements(wrong)
    assert sentence in found


# ---------------------------------------------------------------- what the file forbids is forbidden


@pytest.fixture
def school(db: None) -> Organisation:
    set_training_date()
    return SchoolFactory(parent=TownshipFactory(parent=CountyFactory()))


def test_a_state_that_is_struck_out_is_closed_to_the_act_at_once(
    school: Organisation, changed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    head = acting(person("school_head", school))
    items = [open_item_of(at_step("school_review", school=school).case_id).pk for _ in range(2)]  # type: ignore[union-attr]
    why = Reason("conditions_not_met", "经核查不符合本项目的资助条件")

    def strike(data: Any) -> None:
        del data["families"]["case"]["acts"]["reject"]["in"]["school_review"]
        del data["families"]["desk"]["acts"]["claim"]["in"]["school_review"]

    with monkeypatch.context() as patch:
        patch.setitem(allowed._said, "aid", changed(strike).states_of("aid"))
        assert decide([items[0]], "reject", head, why)[0].code == "wrong_state"
        assert perform(Claim(), [items[0]], head)[0].code == "not_here"
        assert decide([items[1]], "approve", head)[0].ok
    assert perform(Claim(), [items[0]], head)[0].ok
    assert decide([items[0]], "reject", head, why)[0].ok


def test_a_post_reaches_no_further_than_the_file_says(
    school: Organisation, changed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    county = CountyFactory()
    reviewer = acting(person("county_reviewer", county))
    paths = {school.path, county.path}
    assert set(reviewer.permits("review_county", paths)) == paths
    assert set(reviewer.permits("draft_county_notice", paths)) == {county.path}
    narrow = changed(lambda data: data["roles"]["county_reviewer"].update(reach=["below"]))
    monkeypatch.setattr(authority, "matrix", lambda: narrow)
    assert set(reviewer.permits("review_county", paths)) == {school.path}
    assert authority.holders("review_county", paths) == {school.path: [reviewer.user_id], county.path: []}


def test_asking_the_matrix_costs_one_statement_however_many_cases(school: Organisation) -> None:
    """The posts; state and relation are looked up."""
    head = acting(person("school_head", school))
    literal = LiteralActor("somebody", "某人", {"review_school": [""]})

    def statements(by: Actor, count: int) -> int:
        items = [open_item_of(at_step("school_review", school=school).case_id).pk for _ in range(count)]  # type: ignore[union-attr]
        with CaptureQueriesContext(connection) as captured:
            assert all(result.ok for result in decide(items, "approve", by))
        return len(captured)

    assert statements(head, 1) == statements(head, 5) == statements(literal, 1) + 1


# ---------------------------------------------------------------- read by people


def test_the_page_in_the_docs_is_up_to_date() -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "permissions.md").read_text(encoding="utf-8")
    assert page == markdown(), "manage.py permissions --write"


@pytest.mark.parametrize("role", sorted(matrix().may))
def test_administrators_and_auditors_read_the_matrix_and_nobody_else(role: str, school: Organisation) -> None:
    county = CountyFactory()
    places = {"school": school, "township": Organisation.objects.get_parent(school), "county": county}
    client = Client()
    [kind] = matrix().at[role]
    client.force_login(person(role, places[kind]), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(reverse("review:permissions"))
    assert answer.status_code == (200 if role in ("administrator", "auditor") else 403)
    if answer.status_code == 200:
        of_head = client.get(reverse("review:permissions"), {"role": "school_head", "family": "batch"})
        assert of_head.context["tables"] == []
        [table] = client.get(reverse("review:permissions"), {"family": "school_notice"}).context["tables"]
        assert [row.act for row in table.rows][:2] == ["拟稿", "修改、送审"]
