"""Posts are the truth about authority: given and taken by rules, recorded, and written out for guardian."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from guardian.models import UserObjectPermission
from guardian.shortcuts import get_objects_for_user

from approvals.organisations import projection, proposals
from approvals.organisations.actions import Appointment, appoint_all
from approvals.organisations.authority import actor_of, offices_of
from approvals.organisations.models import Organisation, Post, User
from approvals.organisations.projection import follow_the_dates, project_posts
from approvals.organisations.queries import township_of
from approvals.organisations.refusals import Refused
from approvals.organisations.roles import matrix
from tests.factories import (
    FIRST_DAY,
    CountyFactory,
    CountySchoolFactory,
    SchoolFactory,
    TownshipFactory,
    UserFactory,
    person,
    set_training_date,
)  # fmt: skip
from workflows.models import Record

pytestmark = pytest.mark.django_db
WHY = "岗位调整，另行安排。"


@pytest.fixture(autouse=True)
def training_day() -> None:
    set_training_date()


@pytest.fixture
def county() -> Organisation:
    return CountyFactory()


@pytest.fixture
def admin(county: Organisation) -> User:
    return person("administrator", county)


@pytest.fixture
def school(county: Organisation) -> Organisation:
    return SchoolFactory(parent=TownshipFactory(parent=county))


def second() -> User:
    """Another administrator, who approves."""
    known = User.objects.filter(username="second").first()
    user = known or person("administrator", CountyFactory(), username="second")
    project_posts([user.pk])
    return user


def give(user: User, organisation: Organisation, role: str, by: User, **dates: date) -> Post:
    days = {"starts_on": FIRST_DAY, "ends_on": None} | dates
    proposal = proposals.propose_appointment(user, organisation, role, reason=WHY, by=actor_of(by), **days)
    [answer] = proposals.approve([proposal.pk], actor_of(second()))
    assert answer.ok, answer.refused
    proposal.refresh_from_db()
    return proposal.given


def take(post: Post, by: User, last_day: date | None = None) -> None:
    proposal = proposals.propose_end(post, last_day, WHY, actor_of(by))
    [answer] = proposals.approve([proposal.pk], actor_of(second()))
    assert answer.ok, answer.refused


def refusal(*args: object, **kwargs: object) -> str:
    with pytest.raises(Refused) as refused:
        give(*args, **kwargs)  # type: ignore[arg-type]
    assert str(refused.value)
    return refused.value.code


def test_the_administrator_gives_a_post_and_the_record_says_so(admin: User, school: Organisation) -> None:
    user = UserFactory()
    post = give(user, school, "aid_officer", admin)
    assert [office.post for office in offices_of(user)] == [f"aid_officer@{school.name}"]
    line = Record.objects.get(act="appoint")
    assert (line.about, line.about_id, line.actor, line.path) == ("post", post.pk, second().person.hex, school.path)
    assert line.post.startswith("administrator@")
    assert line.data["role"] == "aid_officer"


def test_a_post_taken_away_holds_no_longer_and_the_record_says_why(admin: User, school: Organisation) -> None:
    user = UserFactory()
    post = give(user, school, "aid_officer", admin)
    take(post, admin)
    assert offices_of(user) == []
    assert not actor_of(user).permits("submit_application", [school.path])
    assert Record.objects.get(act="revoke").reason_text == WHY


@pytest.mark.parametrize("role", sorted(matrix().may))
def test_posts_are_given_by_who_may_manage_them_and_by_nobody_else(
    role: str, county: Organisation, school: Organisation
) -> None:
    place = {"school": school, "township": township_of(school), "county": county}[min(matrix().at[role])]
    by = person(role, place)
    if role == "administrator":
        give(UserFactory(), school, "aid_officer", by)
        return
    with pytest.raises(PermissionDenied):
        give(UserFactory(), school, "aid_officer", by)
    post = give(UserFactory(), school, "aid_officer", person("administrator", county))
    with pytest.raises(PermissionDenied):
        proposals.propose_end(post, None, WHY, actor_of(by))
    assert Post.objects.get(pk=post.pk).revoked_at is None


def test_the_system_gives_the_first_posts(school: Organisation) -> None:
    [post] = appoint_all([Appointment(UserFactory(), school, "aid_officer", FIRST_DAY)])
    assert [office.role for office in offices_of(post.user)] == ["aid_officer"]
    assert Record.objects.get(act="appoint").post == "system"


def test_a_role_is_held_only_at_its_kind_of_office(admin: User, county: Organisation, school: Organisation) -> None:
    assert refusal(UserFactory(), county, "aid_officer", admin) == "not_here"
    assert refusal(UserFactory(), school, "county_leader", admin) == "not_here"
    assert refusal(UserFactory(), school, "headmaster", admin) == "unknown_role"


def test_the_days_of_a_post_make_sense(admin: User, school: Organisation) -> None:
    yesterday = FIRST_DAY - timedelta(days=1)
    assert refusal(UserFactory(), school, "aid_officer", admin, ends_on=yesterday) == "dates"
    assert refusal(UserFactory(), school, "aid_officer", admin, starts_on=yesterday) == "in_the_past"
    school.valid_to = yesterday
    school.save()
    assert refusal(UserFactory(), school, "aid_officer", admin) == "office_closed"


def test_nobody_gives_or_takes_a_post_of_their_own(admin: User, county: Organisation, school: Organisation) -> None:
    assert refusal(admin, school, "school_head", admin) == "own_post"
    second_account = UserFactory(person=admin.person)
    assert refusal(second_account, school, "school_head", admin) == "own_post"
    with pytest.raises(Refused) as refused:
        proposals.propose_deputy(admin.posts.get(), second_account, FIRST_DAY, FIRST_DAY, WHY, actor_of(admin))
    assert refused.value.code == "own_post"


def test_a_post_held_already_is_not_given_again(admin: User, school: Organisation) -> None:
    user = UserFactory()
    first = give(user, school, "aid_officer", admin, ends_on=FIRST_DAY + timedelta(days=30))
    assert refusal(user, school, "aid_officer", admin, starts_on=FIRST_DAY + timedelta(days=30)) == "already_held"
    give(user, school, "aid_officer", admin, starts_on=FIRST_DAY + timedelta(days=31))
    take(first, admin)
    give(user, school, "aid_officer", admin, ends_on=FIRST_DAY + timedelta(days=30))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("aid_officer", "school_head"),
        ("school_head", "aid_officer"),
        ("aid_officer", "township_reviewer"),
        ("school_head", "county_reviewer"),
        ("county_reviewer", "county_leader"),
        ("county_reviewer", "county_second_reviewer"),
        ("finance_maker", "finance_checker"),
        ("finance_checker", "finance_approver"),
        ("auditor", "finance_maker"),
    ],
)
def test_roles_that_check_each_other_do_not_lie_in_one_hand(
    one: str, other: str, admin: User, county: Organisation, school: Organisation
) -> None:
    places = {"school": school, "township": township_of(school), "county": county}
    user = UserFactory()
    give(user, places[min(matrix().at[one])], one, admin)
    assert refusal(user, places[min(matrix().at[other])], other, admin) == "incompatible"
    second_account = UserFactory(person=user.person)
    assert refusal(second_account, places[min(matrix().at[other])], other, admin) == "incompatible"


def test_roles_at_schools_apart_or_at_times_apart_do_not_clash(admin: User, school: Organisation) -> None:
    user = UserFactory()
    give(user, school, "aid_officer", admin, ends_on=FIRST_DAY)
    give(user, CountySchoolFactory(), "school_head", admin)
    give(user, school, "school_head", admin, starts_on=FIRST_DAY + timedelta(days=1))
    assert user.posts.count() == 3


def test_all_or_none_of_many_posts_are_given(school: Organisation) -> None:
    user = UserFactory()
    with pytest.raises(Refused):
        appoint_all([Appointment(user, school, role, FIRST_DAY) for role in ("aid_officer", "school_head")])
    assert not Post.objects.exists()
    assert not UserObjectPermission.objects.exists()


@pytest.mark.parametrize("reason", ["", "太短", "          "])
def test_taking_a_post_away_needs_a_reason(reason: str, admin: User, school: Organisation) -> None:
    post = give(UserFactory(), school, "aid_officer", admin)
    with pytest.raises(Refused) as refused:
        proposals.propose_end(post, None, reason, actor_of(admin))
    assert refused.value.code == "reason_required"
    assert offices_of(post.user)


def test_a_post_that_has_ended_is_not_ended_again(admin: User, school: Organisation) -> None:
    post = give(UserFactory(), school, "aid_officer", admin)
    take(post, admin)
    with pytest.raises(Refused) as refused:
        take(post, admin)
    assert refused.value.code == "already_ended"


# ---------------------------------------------------------------- guardian, the projection


def projected() -> set[tuple[int, str, str]]:
    rows = UserObjectPermission.objects.values_list("user_id", "permission__codename", "object_pk")
    return set(rows)


def truth() -> set[tuple[int, str, str]]:
    """What the posts give, asked one by one."""
    return {
        (user.pk, permission, str(office.organisation_id))
        for user in User.objects.all()
        for office in offices_of(user)
        for permission in matrix().may[office.role]
    }


def test_guardian_holds_exactly_what_the_posts_give(admin: User, county: Organisation, school: Organisation) -> None:
    project_posts()
    posts = [
        give(UserFactory(), school, "aid_officer", admin),
        give(UserFactory(), school, "school_head", admin, ends_on=FIRST_DAY),
        give(UserFactory(), school, "school_head", admin, starts_on=FIRST_DAY + timedelta(days=1)),
        give(UserFactory(), county, "county_leader", admin),
    ]
    assert projected() == truth()
    take(posts[0], admin)
    assert projected() == truth()
    assert not any(user == posts[0].user_id for user, _, _ in projected())


def test_a_permission_that_another_post_gives_stays(admin: User, county: Organisation) -> None:
    user = UserFactory()
    leader = give(user, county, "county_leader", admin)
    give(user, county, "finance_maker", admin)
    take(leader, admin)
    assert projected() >= {(user.pk, "view_case", str(county.pk)), (user.pk, "make_batch", str(county.pk))}
    assert (user.pk, "approve_county", str(county.pk)) not in projected()


def test_the_projection_follows_the_dates(admin: User, school: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "_projected_for", None)
    give(UserFactory(), school, "aid_officer", admin, ends_on=FIRST_DAY)
    give(UserFactory(), school, "aid_officer", admin, starts_on=FIRST_DAY + timedelta(days=1))
    follow_the_dates()
    assert projected() == truth()
    assert follow_the_dates() == 0
    set_training_date(FIRST_DAY + timedelta(days=1))
    assert projected() != truth()
    assert follow_the_dates() > 0
    assert projected() == truth()


def test_projecting_again_changes_nothing(admin: User, school: Organisation) -> None:
    project_posts()
    give(UserFactory(), school, "aid_officer", admin)
    assert project_posts() == 0


def test_guardian_finds_the_schools_of_an_officer(admin: User, school: Organisation) -> None:
    user = UserFactory()
    give(user, school, "aid_officer", admin)
    SchoolFactory()
    found = get_objects_for_user(user, "organisations.submit_application", Organisation, accept_global_perms=False)
    assert list(found) == [school]


# ---------------------------------------------------------------- user.has_perm


def test_has_perm_is_answered_from_the_posts(admin: User, school: Organisation) -> None:
    user = UserFactory()
    post = give(user, township_of(school), "township_reviewer", admin)
    other = CountySchoolFactory()
    assert user.has_perm("review_township", school)
    assert user.has_perm("organisations.review_township", school)
    assert not user.has_perm("review_township", other)
    assert not user.has_perm("review_county", school)
    assert not user.has_perm("no_such_permission", school)
    assert not user.has_perm("review_township")
    take(post, admin)
    assert not user.has_perm("review_township", school)


def test_the_posts_have_the_last_word_over_guardian(admin: User, school: Organisation) -> None:
    user = UserFactory()
    give(user, school, "aid_officer", admin)
    Post.objects.filter(user=user).update(ends_on=FIRST_DAY)
    set_training_date(FIRST_DAY + timedelta(days=1))  # the projection has not been brought up to date yet
    assert UserObjectPermission.objects.filter(user=user).exists()
    assert not user.has_perm("organisations.submit_application", school)


# ---------------------------------------------------------------- the matrix


def test_incompatible_roles_are_roles() -> None:
    assert matrix().incompatible
    assert set().union(*matrix().incompatible) <= set(matrix().may)


def test_every_permission_is_held_by_somebody() -> None:
    assert set(matrix().permissions) == set().union(*matrix().may.values())
