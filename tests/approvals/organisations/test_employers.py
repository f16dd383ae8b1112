"""回避: who is employed by a school does not judge its cases above the school; at once, and the queue says why."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from approvals.organisations import accounts, employers
from approvals.organisations.actions import Appointment, appoint_all
from approvals.organisations.models import Organisation, User
from approvals.organisations.refusals import Refused
from approvals.organisations.roles import matrix
from tests.factories import (
    FIRST_DAY,
    CountyFactory,
    SchoolFactory,
    TownshipFactory,
    UserFactory,
    acting,
    at_step,
    head_of,
    person,
    set_training_date,
)  # fmt: skip
from workflows import decide
from workflows.acts import Claim, perform
from workflows.models import Recusal
from workflows.nodes import Step
from workflows.queries import open_item_of
from workflows.versions import our_flows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def training_day() -> None:
    set_training_date()


@pytest.fixture
def admin() -> User:
    return person("administrator", CountyFactory())


@pytest.fixture
def township() -> Organisation:
    return TownshipFactory(parent=CountyFactory())


def waiting(step: str, school: Organisation) -> int:
    item = open_item_of(at_step(step, school=school).case_id)
    assert item is not None
    return item.pk


def approve(task: int, by: User) -> str:
    return decide([task], "approve", acting(by))[0].code


def test_a_reviewer_does_not_judge_the_cases_of_the_school_that_employs_him(
    admin: User, township: Organisation
) -> None:
    own, sister = SchoolFactory(parent=township), SchoolFactory(parent=township)
    reviewer = person("township_reviewer", township)
    tasks = [waiting("township_review", own), waiting("township_review", sister)]
    perform(Claim(), tasks, acting(reviewer))
    accounts.employ(reviewer.pk, own, acting(admin))
    item = open_item_of(at_step("township_review", school=own).case_id)
    assert item is not None
    assert [approve(task, reviewer) for task in (*tasks, item.pk)] == [
        "recused_own_school", "ok", "recused_own_school",
    ]  # fmt: skip
    colleague = person("township_reviewer", township)
    assert approve(tasks[0], colleague) == "ok"  # what he had taken on is free again


def test_it_holds_for_every_account_of_the_person_and_ends_when_he_goes(admin: User, township: Organisation) -> None:
    own, next_school = SchoolFactory(parent=township), SchoolFactory(parent=township)
    reviewer = person("county_reviewer", CountyFactory())
    second_account = UserFactory(person=reviewer.person)
    accounts.employ(second_account.pk, own, acting(admin))
    task = waiting("county_review", own)
    assert approve(task, reviewer) == "recused_own_school"
    accounts.employ(reviewer.pk, next_school, acting(admin))
    assert approve(task, reviewer) == "ok"
    accounts.employ(reviewer.pk, None, acting(admin))
    assert not Recusal.objects.filter(ended_at=None).exists()
    second_account.refresh_from_db()
    assert second_account.employer is None


def test_the_schools_own_head_judges_at_the_school(admin: User, township: Organisation) -> None:
    school = SchoolFactory(parent=township)
    head = head_of(school)
    accounts.employ(head.pk, school, acting(admin))
    assert approve(waiting("school_review", school), head) == "ok"


def test_a_post_at_a_school_tells_the_employer_where_none_is_known(township: Organisation) -> None:
    school, another = SchoolFactory(parent=township), SchoolFactory(parent=township)
    teacher = UserFactory()
    appoint_all([Appointment(teacher, at, "class_teacher", FIRST_DAY) for at in (school, another)])
    appoint_all([Appointment(teacher, township, "township_reviewer", FIRST_DAY)])
    teacher.refresh_from_db()
    assert teacher.employer == school
    assert approve(waiting("township_review", school), teacher) == "recused_own_school"
    assert approve(waiting("township_review", another), teacher) == "ok"


def test_a_deputy_at_a_school_is_not_employed_by_it(township: Organisation) -> None:
    school, deputy = SchoolFactory(parent=township), UserFactory()
    post = head_of(school).posts.get()
    appoint_all([Appointment(deputy, school, "school_head", FIRST_DAY, FIRST_DAY + timedelta(days=4), post)])
    deputy.refresh_from_db()
    assert deputy.employer is None
    assert not Recusal.objects.filter(person=deputy.person.hex).exists()


def test_saving_a_person_whose_school_has_closed_keeps_the_employer(admin: User, township: Organisation) -> None:
    school, another = SchoolFactory(parent=township), SchoolFactory(parent=township)
    reviewer = person("township_reviewer", township)
    accounts.employ(reviewer.pk, school, acting(admin))
    Organisation.objects.filter(kind="school").update(valid_to=FIRST_DAY - timedelta(days=1))
    office = Client()
    office.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    field = office.get(reverse("organisations:account", args=[reviewer.pk])).context["employer"]["employer"]
    assert f'value="{school.pk}" selected' in str(field)
    address = reverse("organisations:account_employer", args=[reviewer.pk])
    for chosen in (field.value(), another.pk):  # another one that is closed cannot be chosen
        office.post(address, {"at-employer": chosen})
        reviewer.refresh_from_db()
        assert reviewer.employer == school
    assert Recusal.objects.filter(person=reviewer.person.hex, ended_at=None).count() == 1


def test_only_a_school_employs_in_this_sense_and_only_an_administrator_says_so(
    admin: User, township: Organisation
) -> None:
    user = person("township_reviewer", township)
    with pytest.raises(Refused) as refused:
        accounts.employ(user.pk, township, acting(admin))
    assert refused.value.code == "no_school"
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("organisations:account_employer", args=[user.pk])
    assert client.post(address, {"at-employer": SchoolFactory().pk}).status_code == 403


def test_it_is_set_with_the_account_and_the_queue_says_why(admin: User, township: Organisation) -> None:
    school = SchoolFactory(parent=township)
    office = Client()
    office.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    made = office.post(
        reverse("organisations:account_new"), {"username": "zhao", "name": "赵敏", "employer": school.pk}
    )
    assert made.status_code == 200
    user = User.objects.get(username="zhao")
    appoint_all([Appointment(user, township, "township_reviewer", FIRST_DAY)])
    waiting("township_review", school)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    User.objects.update(one_time=False)
    page = client.get(reverse("review:queue"), {"step": "township_review"}).content.decode()
    assert "您是该校在职人员" in page
    office.post(reverse("organisations:account_employer", args=[user.pk]), {"at-employer": ""})
    page = client.get(reverse("review:queue"), {"step": "township_review"}).content.decode()
    assert "您是该校在职人员" not in page


def test_the_levels_named_are_levels_of_the_route_above_the_school() -> None:
    levels = {node.level for flow in our_flows() for node in flow.instance.nodes() if isinstance(node, Step)}
    assert set(matrix().own_school) == levels & {"township", "county", "recheck", "leader"}
    assert employers.OWN_SCHOOL
