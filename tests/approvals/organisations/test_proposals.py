"""Posts need two: proposed by one administrator, approved by a second person; held by deputies, ended with a day."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import IntegrityError, transaction

from approvals.organisations import accounts, projection, proposals
from approvals.organisations.authority import actor_of, offices_of
from approvals.organisations.models import Organisation, Post, PostProposal, User
from approvals.organisations.projection import follow_the_dates
from approvals.organisations.refusals import Refused
from notifications.models import Message
from tests.factories import (
    FIRST_DAY,
    CountyFactory,
    PostFactory,
    SchoolFactory,
    TownshipFactory,
    UserFactory,
    acting,
    at_step,
    head_of,
    person,
    set_training_date,
)  # fmt: skip
from workflows import Reason, decide
from workflows.acts import AddSigners, Claim, perform
from workflows.models import Record, Signer, WorkItem
from workflows.queries import open_item_of

pytestmark = pytest.mark.django_db
WHY = "工作需要，经研究决定调整岗位。"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def training_day() -> None:
    set_training_date()


@pytest.fixture
def admin() -> User:
    return person("administrator", CountyFactory())


@pytest.fixture
def other() -> User:
    return person("administrator", CountyFactory())


@pytest.fixture
def school() -> Organisation:
    return SchoolFactory(parent=TownshipFactory(parent=CountyFactory()))


def propose(
    by: User, at: Organisation, user: User | None = None, role: str = "aid_officer", **days: object
) -> PostProposal:
    dates = {"starts_on": FIRST_DAY, "ends_on": None} | days
    return proposals.propose_appointment(user or UserFactory(), at, role, reason=WHY, by=actor_of(by), **dates)


def approve(proposal: PostProposal, by: User) -> str:
    """The code of the refusal; empty where it was approved."""
    [answer] = proposals.approve([proposal.pk], actor_of(by))
    assert bool(answer.refused) == bool(answer.code)
    return answer.code


def code_of(act: object) -> str:
    with pytest.raises(Refused) as refused:
        act()  # type: ignore[operator]
    assert str(refused.value)
    return refused.value.code


def given(proposal: PostProposal) -> Post:
    proposal.refresh_from_db()
    assert proposal.given is not None
    return proposal.given


# ---------------------------------------------------------------- two persons


def test_a_post_holds_from_the_second_persons_approval_on(admin: User, other: User, school: Organisation) -> None:
    user = UserFactory()
    proposal = propose(admin, school, user)
    assert offices_of(user) == []
    assert approve(proposal, other) == ""
    assert [office.role for office in offices_of(user)] == ["aid_officer"]
    lines = Record.objects.filter(about="proposal").order_by("id").values_list("act", "actor", "state_to")
    assert list(lines) == [
        ("propose_appoint", admin.person.hex, "waiting"), ("approve_proposal", other.person.hex, "approved"),
    ]  # fmt: skip
    told = set(Message.objects.values_list("recipient", "event"))
    assert told == {(other.pk, "post_proposed"), (admin.pk, "proposal_decided"), (user.pk, "post_given")}


def test_nobody_approves_what_they_proposed_under_either_account(
    admin: User, other: User, school: Organisation
) -> None:
    proposal = propose(admin, school)
    second_account = PostFactory(
        user=UserFactory(person=admin.person), organisation=CountyFactory(), role="administrator"
    ).user
    assert approve(proposal, admin) == "own_proposal"
    assert approve(proposal, second_account) == "own_proposal"
    [declined] = proposals.decline([proposal.pk], actor_of(admin), WHY)
    assert declined.code == "own_proposal"
    assert PostProposal.objects.get().state == "waiting"


def test_nobody_decides_about_a_post_of_their_own(admin: User, other: User, school: Organisation) -> None:
    about_other = propose(admin, school, other, role="class_teacher")
    assert approve(about_other, other) == "own_post"
    ending = proposals.propose_end(other.posts.get(), None, WHY, actor_of(admin))
    assert approve(ending, other) == "own_post"
    [declined] = proposals.decline([ending.pk], actor_of(other), WHY)
    assert declined.code == "own_post"
    third = person("administrator", CountyFactory())
    assert approve(ending, third) == ""
    assert offices_of(other) == []


def test_a_post_of_ones_own_may_be_proposed_to_end_and_another_approves(admin: User, other: User) -> None:
    ending = proposals.propose_end(admin.posts.get(), None, WHY, actor_of(admin))
    assert approve(ending, admin) == "own_proposal"
    assert approve(ending, other) == ""
    assert offices_of(admin) == []


def test_the_database_keeps_proposer_approver_and_whom_it_concerns_apart(
    admin: User, other: User, school: Organisation
) -> None:
    proposal = propose(admin, school)
    rows = PostProposal.objects.filter(pk=proposal.pk)
    for wrong in (
        {"state": "approved"},
        {"state": "approved", "decided_person": admin.person},
        {"state": "declined", "decided_person": admin.person},
        {"state": "approved", "decided_person": proposal.person},
        {"proposed_person": proposal.person},
        {"kind": "end"},
        {"kind": "deputise"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
    assert rows.update(state="approved", decided_person=other.person) == 1


def test_an_only_administrator_is_told_to_make_a_second_one_which_the_command_does(
    admin: User, school: Organisation
) -> None:
    proposal = propose(admin, school)
    [answer] = proposals.approve([proposal.pk], actor_of(admin))
    assert answer.code == "only_administrator"
    assert "create_administrator" in answer.refused
    call_command("create_administrator", "admin9", stdout=StringIO(), stderr=StringIO())
    assert approve(proposal, admin) == "own_proposal"
    assert approve(proposal, User.objects.get(username="admin9")) == ""


def test_of_two_administrators_nobody_approves_what_concerns_the_second_and_is_told_so(
    admin: User, other: User, school: Organisation
) -> None:
    ending = proposals.propose_end(other.posts.get(), None, WHY, actor_of(admin))
    resigning = proposals.propose_end(admin.posts.get(), None, WHY, actor_of(admin))
    PostFactory(user=UserFactory(person=other.person), organisation=CountyFactory(), role="administrator")
    assert proposals.without_approver([ending, resigning]) == {ending.pk}
    assert [approve(ending, admin), approve(resigning, admin)] == ["only_administrator", "own_proposal"]
    third = person("administrator", CountyFactory())
    assert proposals.without_approver([ending, resigning]) == set()
    assert approve(ending, admin) == "own_proposal"
    assert approve(ending, third) == ""


@pytest.mark.parametrize("role", ["auditor", "county_leader", "school_head"])
def test_others_neither_propose_nor_decide(role: str, admin: User, school: Organisation) -> None:
    outsider = person(role, school if role == "school_head" else CountyFactory())
    with pytest.raises(PermissionDenied):
        propose(outsider, school)
    post = head_of(SchoolFactory()).posts.get()
    with pytest.raises(PermissionDenied):
        proposals.propose_end(post, None, WHY, actor_of(outsider))
    with pytest.raises(PermissionDenied):
        proposals.propose_deputy(post, UserFactory(), FIRST_DAY, FIRST_DAY, WHY, actor_of(outsider))
    assert code_of(lambda: proposals.propose_leaving(post.user, None, WHY, actor_of(outsider))) == "nothing_to_end"
    assert approve(propose(admin, school), outsider) == "no_such_proposal"


def test_what_was_decided_is_not_decided_again_and_only_the_proposer_takes_back(
    admin: User, other: User, school: Organisation
) -> None:
    proposal = propose(admin, school)
    assert [answer.code for answer in proposals.withdraw([proposal.pk], actor_of(other))] == ["not_own_proposal"]
    assert proposals.withdraw([proposal.pk], actor_of(admin))[0].ok
    assert approve(proposal, other) == "not_waiting"
    again = propose(admin, school)
    assert approve(again, other) == ""
    assert [answer.code for answer in proposals.decline([again.pk], actor_of(other), WHY)] == ["not_waiting"]


def test_the_same_is_not_proposed_twice(admin: User, other: User, school: Organisation) -> None:
    user = UserFactory()
    propose(admin, school, user)
    assert code_of(lambda: propose(other, school, user)) == "already_proposed"


def test_a_conflict_that_arose_meanwhile_is_named_on_approval(admin: User, other: User, school: Organisation) -> None:
    user = UserFactory()
    officer, head = propose(admin, school, user), propose(admin, school, user, role="school_head")
    answers = proposals.approve([officer.pk, head.pk, 999_999], actor_of(other))
    assert [answer.code for answer in answers] == ["", "incompatible", "no_such_proposal"]
    assert school.name in answers[1].refused
    assert user.posts.count() == 1


def test_no_post_is_given_to_an_account_that_was_closed_since(admin: User, other: User, school: Organisation) -> None:
    user = UserFactory()
    waiting = propose(admin, school, user)
    deputy = proposals.propose_deputy(
        head_of(school).posts.get(), user, FIRST_DAY, FIRST_DAY + DAY, WHY, actor_of(admin)
    )
    accounts.close(user.pk, acting(admin), WHY)
    assert [approve(each, other) for each in (waiting, deputy)] == ["account_closed", "account_closed"]
    assert code_of(lambda: propose(admin, SchoolFactory(), user)) == "account_closed"
    assert not user.posts.exists()
    accounts.reopen(user.pk, acting(admin), WHY)
    assert approve(waiting, other) == ""


# ---------------------------------------------------------------- days


def test_a_post_to_come_begins_at_midnight_of_its_day_and_ends_after_its_last(
    admin: User, other: User, school: Organisation
) -> None:
    user = UserFactory()
    assert approve(propose(admin, school, user, starts_on=FIRST_DAY + DAY, ends_on=FIRST_DAY + 2 * DAY), other) == ""
    holds = []
    for days in range(4):
        set_training_date(FIRST_DAY + days * DAY)
        holds.append(bool(offices_of(user)))
    assert holds == [False, True, True, False]


def test_what_is_approved_late_begins_on_that_day_or_not_at_all(admin: User, other: User, school: Organisation) -> None:
    late = propose(admin, school, ends_on=FIRST_DAY + 9 * DAY)
    over = propose(admin, school, ends_on=FIRST_DAY)
    set_training_date(FIRST_DAY + 2 * DAY)
    assert approve(late, other) == ""
    assert given(late).starts_on == FIRST_DAY + 2 * DAY
    assert approve(over, other) == "over_already"
    assert PostProposal.objects.get(pk=over.pk).state == "waiting"


def test_a_post_ends_after_the_day_approved(admin: User, other: User, school: Organisation) -> None:
    user = head_of(school)
    post = user.posts.get()
    assert code_of(lambda: proposals.propose_end(post, FIRST_DAY - DAY, WHY, actor_of(admin))) == "in_the_past"
    ending = proposals.propose_end(post, FIRST_DAY + DAY, WHY, actor_of(admin))
    assert approve(ending, other) == ""
    set_training_date(FIRST_DAY + DAY)
    assert offices_of(user)
    set_training_date(FIRST_DAY + 2 * DAY)
    assert offices_of(user) == []
    assert code_of(lambda: proposals.propose_end(post, None, WHY, actor_of(admin))) == "already_ended"


def test_an_ending_approved_after_its_day_holds_at_once(admin: User, other: User, school: Organisation) -> None:
    user = head_of(school)
    ending = proposals.propose_end(user.posts.get(), FIRST_DAY, WHY, actor_of(admin))
    set_training_date(FIRST_DAY + 3 * DAY)
    assert approve(ending, other) == ""
    assert offices_of(user) == []


def test_a_post_that_ends_sooner_is_not_ended_later(admin: User, school: Organisation) -> None:
    post = head_of(school).posts.get()
    Post.objects.filter(pk=post.pk).update(ends_on=FIRST_DAY + DAY)
    assert code_of(lambda: proposals.propose_end(post, FIRST_DAY + 9 * DAY, WHY, actor_of(admin))) == "ends_sooner"


def test_approving_what_ended_meanwhile_is_refused(admin: User, other: User, school: Organisation) -> None:
    post = head_of(school).posts.get()
    ending = proposals.propose_end(post, None, WHY, actor_of(admin))
    deputy = proposals.propose_deputy(post, UserFactory(), FIRST_DAY, FIRST_DAY + DAY, WHY, actor_of(admin))
    Post.objects.filter(pk=post.pk).update(ends_on=FIRST_DAY)
    set_training_date(FIRST_DAY + DAY)
    assert approve(ending, other) == "already_ended"
    assert approve(deputy, other) == "beyond_the_post"


# ---------------------------------------------------------------- whoever leaves


def test_all_posts_of_a_person_are_proposed_to_end_each_with_an_answer(
    admin: User, other: User, school: Organisation
) -> None:
    user = head_of(school)
    second_account = PostFactory(user=UserFactory(person=user.person), role="class_teacher").user
    soon = PostFactory(user=user, organisation=SchoolFactory(), ends_on=FIRST_DAY + DAY)
    over = PostFactory(user=user, organisation=SchoolFactory(), ends_on=FIRST_DAY - DAY)
    answers = proposals.propose_leaving(user, FIRST_DAY + 5 * DAY, WHY, actor_of(admin))
    assert {answer.key: answer.code for answer in answers} == {
        user.posts.get(role="school_head").pk: "", second_account.posts.get().pk: "", soon.pk: "ends_sooner",
    }  # fmt: skip
    assert over.pk not in {answer.key for answer in answers}
    assert all(
        answer.ok for answer in proposals.approve(PostProposal.objects.values_list("pk", flat=True), actor_of(other))
    )
    set_training_date(FIRST_DAY + 6 * DAY)
    assert offices_of(user) == offices_of(second_account) == []
    assert code_of(lambda: proposals.propose_leaving(user, None, WHY, actor_of(admin))) == "nothing_to_end"


def claimed(school: Organisation, by: User) -> WorkItem:
    item = open_item_of(at_step("school_review", school=school).case_id)
    assert item is not None
    [result] = perform(Claim(), [item.pk], acting(by))
    assert result.ok, result.message
    return item


def test_tasks_of_a_person_whose_post_ended_are_the_offices_again(
    admin: User, other: User, school: Organisation
) -> None:
    head, colleague = head_of(school), head_of(school)
    item = claimed(school, head)
    [held] = decide([item.pk], "approve", acting(colleague))
    assert held.code == "held"
    ending = proposals.propose_end(head.posts.get(), None, WHY, actor_of(admin))
    assert approve(ending, other) == ""
    item.refresh_from_db()
    assert item.holder == ""
    line = Record.objects.get(act="release", about="case")
    assert (line.actor, line.data["to"]) == ("", [head.name])
    [done] = decide([item.pk], "approve", acting(colleague))
    assert done.ok


def test_what_another_post_still_allows_stays_taken_on(admin: User, other: User, school: Organisation) -> None:
    head = head_of(school)
    PostFactory(user=UserFactory(person=head.person), organisation=school, role="school_head")
    item = claimed(school, head)
    assert approve(proposals.propose_end(head.posts.get(), None, WHY, actor_of(admin)), other) == ""
    item.refresh_from_db()
    assert item.holder == head.person.hex


def test_tasks_are_released_when_the_last_day_is_over(school: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "_projected_for", None)
    head = head_of(school)
    head.posts.update(ends_on=FIRST_DAY)
    item = claimed(school, head)
    follow_the_dates()
    item.refresh_from_db()
    assert item.holder == head.person.hex
    set_training_date(FIRST_DAY + DAY)
    follow_the_dates()
    item.refresh_from_db()
    assert item.holder == ""


def test_a_closed_account_holds_no_tasks_and_is_not_waited_for(admin: User, school: Organisation) -> None:
    head, asked = head_of(school), person("aid_officer", school)
    item = claimed(school, head)
    [added] = perform(
        AddSigners([acting(asked)]), [item.pk], acting(head), Reason("knows_more", "请一并签署意见为盼。")
    )
    assert added.ok, added.message
    accounts.close(asked.pk, acting(admin), "已调离本校，不再使用。")
    assert not Signer.objects.filter(item=item.pk, ended_at=None).exists()
    accounts.close(head.pk, acting(admin), "已调离本校，不再使用。")
    item.refresh_from_db()
    assert (item.holder, item.panel) == ("", "")


# ---------------------------------------------------------------- deputies


@pytest.fixture
def head(school: Organisation) -> User:
    return person("school_head", school, name="李四")


def deputy_of(head: User, admin: User, other: User, **user: object) -> User:
    deputy = UserFactory(**{"name": "张三"} | user)
    proposal = proposals.propose_deputy(head.posts.get(), deputy, FIRST_DAY, FIRST_DAY + 4 * DAY, WHY, actor_of(admin))
    assert approve(proposal, other) == ""
    return deputy


def test_a_deputy_decides_in_the_holders_place_for_a_while_and_the_record_says_so(
    admin: User, other: User, school: Organisation, head: User
) -> None:
    deputy = deputy_of(head, admin, other)
    item = open_item_of(at_step("school_review", school=school).case_id)
    assert item is not None
    assert decide([item.pk], "approve", acting(deputy))[0].ok
    line = Record.objects.get(about="case", act="approve", actor=deputy.person.hex)
    assert (line.actor_name, line.post) == ("张三", f"school_head@{school.name}~李四")
    set_training_date(FIRST_DAY + 5 * DAY)
    assert offices_of(deputy) == []
    assert offices_of(head)


def test_a_deputy_is_not_represented_by_another(admin: User, other: User, head: User) -> None:
    deputy = deputy_of(head, admin, other)
    days = (FIRST_DAY, FIRST_DAY + DAY)
    assert code_of(
        lambda: proposals.propose_deputy(deputy.posts.get(), UserFactory(), *days, WHY, actor_of(admin))
    ) == "deputy_of_deputy"  # fmt: skip


def test_who_may_not_be_the_deputy(admin: User, school: Organisation, head: User) -> None:
    post = head.posts.get()

    def refused(user: User, last: object = FIRST_DAY + DAY) -> str:
        return code_of(lambda: proposals.propose_deputy(post, user, FIRST_DAY, last, WHY, actor_of(admin)))  # type: ignore[arg-type]

    assert refused(UserFactory(person=head.person)) == "own_deputy"
    assert refused(person("aid_officer", school)) == "incompatible"
    assert refused(person("county_reviewer", CountyFactory())) == "incompatible"
    assert refused(UserFactory(), None) == "deputy_needs_end"
    assert refused(admin) == "own_post"
    Post.objects.filter(pk=post.pk).update(ends_on=FIRST_DAY)
    assert refused(UserFactory()) == "beyond_the_post"


def test_a_deputy_has_acted_as_himself_at_every_level(
    admin: User, other: User, school: Organisation, head: User
) -> None:
    """Whoever prepared a case does not judge it as a deputy either."""
    officer = UserFactory()
    application = at_step(
        "school_review", school=school, by=acting(PostFactory(user=officer, organisation=school).user)
    )
    officer.posts.update(ends_on=FIRST_DAY - DAY)
    proposal = proposals.propose_deputy(head.posts.get(), officer, FIRST_DAY, FIRST_DAY, WHY, actor_of(admin))
    assert approve(proposal, other) == ""
    item = open_item_of(application.case_id)
    assert item is not None
    assert decide([item.pk], "approve", acting(officer))[0].code == "other_level"


def test_a_deputys_time_is_over_with_the_holders_post(admin: User, other: User, head: User) -> None:
    deputy = deputy_of(head, admin, other)
    assert approve(proposals.propose_end(head.posts.get(), None, WHY, actor_of(admin)), other) == ""
    assert offices_of(deputy) == []


def test_a_deputy_goes_no_longer_than_the_holder(admin: User, other: User, head: User) -> None:
    deputy = deputy_of(head, admin, other)
    assert approve(proposals.propose_end(head.posts.get(), FIRST_DAY + DAY, WHY, actor_of(admin)), other) == ""
    assert deputy.posts.get().ends_on == FIRST_DAY + DAY
    set_training_date(FIRST_DAY + 2 * DAY)
    assert offices_of(deputy) == offices_of(head) == []


def test_the_database_wants_an_end_of_a_deputys_time(head: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PostFactory(organisation=head.posts.get().organisation, role="school_head", deputy_for=head.posts.get())
