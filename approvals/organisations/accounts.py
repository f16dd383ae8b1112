"""Writers of accounts: made, given a one-time password, closed and opened again by who manages posts.

A one-time password is told once, to whoever made it, and opens nothing but the page where another is chosen.
"""

import secrets

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q

from approvals.organisations import employers
from approvals.organisations.actions import Appointment, appoint_all
from approvals.organisations.authority import everywhere
from approvals.organisations.models import Organisation, User
from approvals.organisations.queries import of_standing
from approvals.organisations.refusals import Refused
from approvals.organisations.roles import matrix
from workflows import record
from workflows.actors import SYSTEM, Actor
from workflows.acts import return_to_office
from workflows.clock import today
from workflows.reasons import MIN_LENGTH, Reason

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that is mistaken for another when it is read out."""
ADMINISTRATOR = "administrator"


def one_time_password() -> str:
    """Three groups of four letters, for reading out: some 59 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def create(username: str, name: str, phone: str, by: Actor, employer: Organisation | None = None) -> tuple[User, str]:
    """Makes an account; returns it and its one-time password. Raises PermissionDenied, Refused."""
    username, name = username.strip(), name.strip()
    with transaction.atomic():
        post = _authority(by)
        _check_name(username)
        if not name:
            raise Refused("name_missing")
        password = one_time_password()
        user = User(username=username, name=name, phone=phone.strip(), one_time=True)
        user.set_password(password)
        user.save()
        record.write("create_account", "account", [user.pk], by, post=post, data={"username": username})
        if employer is not None:
            employers.employ(user, employer, by, post)
    return user, password


def reset_password(user_id: int, by: Actor) -> str:
    """Gives an account a one-time password; whoever is signed in with it is signed out. Raises as `create`.

    The account of whoever manages posts gets one from the server only: an administrator who was told a colleague's
    password could approve with it what he proposed himself.
    """
    with transaction.atomic():
        user, post = _locked(user_id, by)
        if not user.is_active:
            raise Refused("account_closed")
        if by is not SYSTEM and manages_posts(user):
            raise Refused("password_from_server", username=user.username)
        password = one_time_password()
        user.set_password(password)
        user.one_time = True
        user.save(update_fields=["password", "one_time"])
        record.write("reset_password", "account", [user.pk], by, post=post)
    return password


def close(user_id: int, by: Actor, reason: str) -> User:
    """Closes an account at once; its posts give nothing while it is closed. Raises as `create`."""
    return _set_active(user_id, False, by, reason)


def reopen(user_id: int, by: Actor, reason: str) -> User:
    """Opens a closed account again, with the password and the posts it had. Raises as `create`."""
    return _set_active(user_id, True, by, reason)


def employ(user_id: int, school: Organisation | None, by: Actor) -> User:
    """Says which school employs the person, or that none does; holds at once. Raises as `create`."""
    with transaction.atomic():
        user, post = _locked(user_id, by)
        employers.employ(user, school, by, post)
    return user


def choose_password(user: User, password: str, by: Actor) -> None:
    """A person's own new password. Raises PermissionDenied for anybody else's account, Refused for the same again."""
    if by.key != user.person.hex:
        raise PermissionDenied("own account")
    with transaction.atomic():
        kept = User.objects.select_for_update().get(pk=user.pk)
        if kept.check_password(password):
            raise Refused("same_password")
        kept.set_password(password)
        kept.one_time = False
        kept.save(update_fields=["password", "one_time"])
        record.write("choose_password", "account", [kept.pk], by)
    user.password, user.one_time = kept.password, False


def first_administrator(username: str, name: str, county: Organisation) -> tuple[User, str]:
    """Makes, as the system, an administrator's account with the post. One that has or had the post gets another
    password, and the post again where it has ended.
    """
    with transaction.atomic():
        known = User.objects.filter(username=username.strip()).first()
        if known is not None and known.posts.filter(role=ADMINISTRATOR).exists():
            user, password = known, reset_password(known.pk, SYSTEM)
        else:
            user, password = create(username, name, "", SYSTEM)
        if not user.posts.filter(of_standing("in_force", today()), role=ADMINISTRATOR).exists():
            appoint_all([Appointment(user, county, ADMINISTRATOR, today())])
    return user, password


# ---------------------------------------------------------------- who may


def manages_posts(user: User) -> bool:
    """Whether an account has a post, in force or to come, that gives or ends posts."""
    lasting = Q(ends_on=None) | Q(ends_on__gte=today())
    return user.posts.filter(lasting, revoked_at=None, role__in=matrix().roles_with("manage_posts")).exists()


def _set_active(user_id: int, active: bool, by: Actor, reason: str) -> User:
    with transaction.atomic():
        user, post = _locked(user_id, by)
        if len(reason.strip()) < MIN_LENGTH:
            raise Refused("reason_required")
        if user.is_active == active:
            raise Refused("account_already")
        user.is_active = active
        user.save(update_fields=["is_active"])
        act = "reopen_account" if active else "close_account"
        record.write(act, "account", [user.pk], by, post=post, reason=Reason("other", reason.strip()))
        if not active:
            return_to_office(everywhere(user.person), SYSTEM)
    return user


def _locked(user_id: int, by: Actor) -> tuple[User, str]:
    """An account that `by` may manage, and under which post; nobody manages an account of their own."""
    user = User.objects.select_for_update().get(pk=user_id)
    paths = set(user.posts.filter(revoked_at=None).values_list("organisation__path", flat=True))
    post = _authority(by, paths)
    if by.key == user.person.hex:
        raise Refused("own_account")
    return user, post


def _authority(by: Actor, paths: set[str] | None = None) -> str:
    """The post under which `by` manages accounts: at every office where the account has a post, or at any."""
    permission = "system" if by is SYSTEM else "manage_posts"
    wanted = paths or set(Organisation.objects.filter(depth=1).values_list("path", flat=True))
    under = dict(by.permits(permission, wanted))
    if set(under) != wanted or not under:
        raise PermissionDenied(permission)
    return sorted(under.values())[0]


def _check_name(username: str) -> None:
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError as error:
        raise Refused("username_characters") from error
    if len(username) > 150 or User.objects.filter(username__iexact=username).exists():
        raise Refused("username_taken", username=username)
