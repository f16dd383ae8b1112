"""Why a post was not given or taken: codes and their sentences."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "unknown_role": _("There is no such role."),
    "not_here": _("This role cannot be held at this kind of office."),
    "office_closed": _("%(organisation)s does not exist on that day."),
    "own_post": _("Nobody may give themselves a post, nor approve what becomes of a post of their own."),
    "dates": _("The post ends before it begins."),
    "in_the_past": _("A post begins today at the earliest, and ends today at the earliest."),
    "over_already": _("The period proposed is over. Decline it, and propose it anew."),
    "begun_later": _("The post ends before it begins; leave the day empty and it never begins."),
    "ends_sooner": _("The post ends on %(day)s already."),
    "own_deputy": _("Nobody is the deputy of themselves."),
    "deputy_of_deputy": _("%(user)s is a deputy, and a deputy is not represented by another one."),
    "deputy_needs_end": _("A deputy holds the post for a while: say until when."),
    "beyond_the_post": _("%(user)s does not hold the post in all of that period, so nobody can be the deputy in it."),
    "already_proposed": _("The same is proposed already and waits for approval."),
    "not_waiting": _("This proposal has been decided or taken back already."),
    "no_such_proposal": _("There is no such proposal."),
    "own_proposal": _("You proposed this yourself; another administrator approves it."),
    "only_administrator": _(
        "You proposed this yourself, and there is no other administrator who could approve it: neither who proposes a"
        " post nor whom it concerns does. On the server, “manage.py create_administrator NAME” makes another one."
    ),
    "not_own_proposal": _("Only who proposed it takes it back."),
    "nothing_to_end": _("%(user)s holds no post that you could end."),
    "busy": _("Somebody else is working on this at the moment. Please try again."),
    "no_school": _("Only a school of the county can be named as employer."),
    "already_held": _("%(user)s already holds this post in that period."),
    "incompatible": _("%(user)s holds a post that may not be joined with this one: %(role)s, %(organisation)s."),
    "already_ended": _("The post has already ended."),
    "name_missing": _("The person's name is missing."),
    "username_characters": _("An account's name holds letters, digits and @ . + - _ only."),
    "username_taken": _("There is an account “%(username)s” already."),
    "account_closed": _("The account is closed. Open it first."),
    "account_already": _("The account is in that state already. Reload the page."),
    "password_from_server": _(
        "This account gives and ends posts, and what is proposed needs two persons: no other administrator may know its"
        " password. On the server, “manage.py create_administrator %(username)s” gives a one-time password."
    ),
    "own_account": _("Nobody manages their own account; the password is changed under “Change password”."),
    "same_password": _("That is the password the account has. Choose another."),
    "reason_required": _("Please give a reason of at least 10 characters."),
    "reason_too_long": _("The reason must not have more than %(most)s characters."),
}


class Refused(Exception):
    """An act that may not be done; `code` is a key of `SENTENCES`, `str()` the sentence."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = values
        super().__init__(code)

    def __str__(self) -> str:
        return str(SENTENCES[self.code]) % self.values
