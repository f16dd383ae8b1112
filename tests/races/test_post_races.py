"""Two administrators at the same proposal, and a post that ends while its deputy is approved."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from approvals.organisations import proposals
from approvals.organisations.authority import actor_of, offices_of
from approvals.organisations.models import Post, PostProposal
from tests.factories import FIRST_DAY, CountyFactory, SchoolFactory, UserFactory, head_of, person, set_training_date
from workflows.models import Record

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
WHY = "工作需要，经研究决定调整岗位。"
AtOnce = Callable[..., list[Any]]


def test_two_who_approve_at_once_give_one_post(at_once: AtOnce) -> None:
    set_training_date()
    first, *others = [person("administrator", CountyFactory()) for _ in range(3)]
    user = UserFactory()
    proposal = proposals.propose_appointment(
        user, SchoolFactory(), "aid_officer", FIRST_DAY, None, WHY, actor_of(first)
    )
    answers = at_once(*(lambda by=by: proposals.approve([proposal.pk], actor_of(by))[0] for by in others))
    assert sorted(answer.code for answer in answers) == ["", "not_waiting"]
    assert user.posts.count() == 1
    assert Record.objects.filter(act="approve_proposal").count() == 1


def test_two_incompatible_posts_approved_at_once_do_not_both_pass(at_once: AtOnce) -> None:
    set_training_date()
    first, *others = [person("administrator", CountyFactory()) for _ in range(3)]
    user, school = UserFactory(), SchoolFactory()
    made = [
        proposals.propose_appointment(user, school, role, FIRST_DAY, None, WHY, actor_of(first)).pk
        for role in ("aid_officer", "school_head")
    ]
    answers = at_once(
        *(lambda by=by, pk=pk: proposals.approve([pk], actor_of(by))[0] for by, pk in zip(others, made, strict=True))
    )
    assert sorted(answer.code for answer in answers) == ["", "incompatible"]
    assert user.posts.count() == 1


def test_a_deputy_is_not_left_behind_by_a_post_that_ends_at_the_same_time(at_once: AtOnce) -> None:
    set_training_date()
    first, *others = [person("administrator", CountyFactory()) for _ in range(3)]
    head, deputy = head_of(SchoolFactory()), UserFactory()
    post, last = head.posts.get(), FIRST_DAY + timedelta(days=3)
    ending = proposals.propose_end(post, None, WHY, actor_of(first))
    proposal = proposals.propose_deputy(post, deputy, FIRST_DAY, last, WHY, actor_of(first))
    answers = at_once(
        lambda: proposals.approve([ending.pk], actor_of(others[0]))[0],
        lambda: proposals.approve([proposal.pk], actor_of(others[1]))[0],
    )
    assert answers[0].ok
    assert answers[1].code in ("", "beyond_the_post")
    assert offices_of(deputy) == []
    assert not Post.objects.filter(organisation=post.organisation, revoked_at=None).exists()
    assert PostProposal.objects.get(pk=ending.pk).state == "approved"
