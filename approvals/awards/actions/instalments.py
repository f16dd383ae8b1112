"""代偿分年发放: each year's proof is recorded by one person and confirmed by another; then its part is payable."""

from collections.abc import Callable

from django.db import transaction

from approvals.awards.actions.common import CONFIRMS, PROPOSES, locked, not_for_long, tell, words
from approvals.awards.models import LIVE, Award, AwardInstalment, AwardTerm
from approvals.awards.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.programmes.terms import Term
from workflows import record
from workflows.clock import moment, today


def record_proof(instalment_id: int, text: str, by: UserActor) -> AwardInstalment:
    """登记 the proof of a year: what was shown, its number and date. Until it is confirmed it may be written anew."""
    said = words(text)

    def do(instalment: AwardInstalment, award: Award, post: str) -> None:
        earlier = AwardInstalment.objects.filter(term__award=award, number__lt=instalment.number, confirmed_at=None)
        if Term.of(instalment.term.term).starts_on > today():
            raise Refused("proof_ahead")
        if earlier.exists():
            raise Refused("proof_earlier")
        instalment.proof, instalment.recorded_by, instalment.recorded_person = said, by.user, by.user.person
        instalment.recorded_at = moment().business
        instalment.save()
        _write("record_proof", instalment, award, by, post)
        tell("award_proof", CONFIRMS, [(award.pk, award.path)], but=by.user_id)

    return _with(instalment_id, PROPOSES, by, do)


def confirm_proof(instalment_id: int, by: UserActor) -> AwardInstalment:
    """确认 the proof of a year, by another person: that part of the sum is payable. Raises Refused."""

    def do(instalment: AwardInstalment, award: Award, post: str) -> None:
        if instalment.recorded_person is None:
            raise Refused("proof_missing")
        if instalment.recorded_person == by.user.person:
            raise Refused("same_person")
        instalment.confirmed_by, instalment.confirmed_person = by.user, by.user.person
        instalment.confirmed_at = moment().business
        instalment.save()
        AwardTerm.objects.filter(pk=instalment.term_id, hold="proof").update(hold="")
        _write("confirm_proof", instalment, award, by, post)
        tell("award_decided", PROPOSES, [(award.pk, award.path)], but=by.user_id, name=by.name)

    return _with(instalment_id, CONFIRMS, by, do)


def _with(
    instalment_id: int, permission: str, by: UserActor, do: Callable[[AwardInstalment, Award, str], None]
) -> AwardInstalment:
    with not_for_long(), transaction.atomic():
        key = AwardTerm.objects.filter(instalment=instalment_id).values_list("award_id", flat=True).first()
        award = locked([key]).get(key) if key is not None else None
        if award is None:
            raise Refused("not_instalments")
        post = by.require(permission, award.path)
        instalment = AwardInstalment.objects.select_related("term").get(pk=instalment_id)
        if award.state not in LIVE:
            raise Refused("wrong_state")
        if instalment.confirmed_at is not None:
            raise Refused("proof_confirmed")
        do(instalment, award, post)
    return instalment


def _write(act: str, instalment: AwardInstalment, award: Award, by: UserActor, post: str) -> None:
    record.write(
        act, "award", [award.pk], by, post=post, path=award.path,
        data={"number": instalment.number, "term": instalment.term.term},
    )  # fmt: skip
