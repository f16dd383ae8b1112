"""Kin of the staff (DOMAIN.md §2.8): declared by themselves, known by ID number; only blind indexes are kept."""

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import pgettext_lazy as _p

from approvals.organisations.authority import UserActor
from approvals.organisations.models import User
from approvals.people.crypto import blind_index
from approvals.people.models import Kinship
from workflows import record

RELATIONS = [
    ("spouse", _p("relation", "Spouse")),
    ("direct", _p("relation", "Direct blood relative")),
    ("collateral", _p("relation", "Collateral relative within three generations")),
    ("in_law", _p("relation", "Close in-law")),
    ("other", _p("relation", "Other interest")),
]
"""The relations that bar somebody from judging."""


def kin_of(by: UserActor) -> QuerySet[Kinship]:
    """The relatives that a person has declared and not taken back, oldest first."""
    return Kinship.objects.filter(person=by.user.person, ended_at=None).order_by("pk")


def declare(by: UserActor, id_number: str, relation: str) -> Kinship | None:
    """Declares a relative, by a valid ID number, in the caller's transaction; None where he was declared before."""
    if relation not in dict(RELATIONS):
        raise ValueError(relation)
    try:
        with transaction.atomic():
            kinship = Kinship.objects.create(
                person=by.user.person, id_hash=blind_index(id_number), id_tail=id_number[-4:], relation=relation
            )
    except IntegrityError:
        return None
    record.write("declare_kin", "kinship", [kinship.pk], by, data={"relation": relation})
    return kinship


def take_back(by: UserActor, kinship_id: int) -> bool:
    """Ends a declaration of one's own; recusals that it led to stay. Whether there was one."""
    with transaction.atomic():
        ended = Kinship.objects.filter(pk=kinship_id, person=by.user.person, ended_at=None)
        found = bool(ended.update(ended_at=timezone.now()))
        if found:
            record.write("end_kin", "kinship", [kinship_id], by)
    return found


def identify(by: UserActor, id_number: str) -> None:
    """Keeps the blind index of a person's own ID number on all of his accounts, so that his household is known."""
    with transaction.atomic():
        User.objects.filter(person=by.user.person).update(id_hash=blind_index(id_number))
        record.write("identify", "account", [by.user_id], by)
