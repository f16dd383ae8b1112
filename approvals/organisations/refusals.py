"""Why a post was not given or taken: codes and their sentences."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "unknown_role": _("There is no such role."),
    "not_here": _("This role cannot be held at this kind of office."),
    "office_closed": _("%(organisation)s does not exist on that day."),
    "own_post": _("Nobody may give or take away a post of their own."),
    "dates": _("The post ends before it begins."),
    "already_held": _("%(user)s already holds this post in that period."),
    "incompatible": _("%(user)s holds a post that may not be joined with this one: %(role)s, %(organisation)s."),
    "already_ended": _("The post has already ended."),
    "name_missing": _("The person's name is missing."),
    "username_characters": _("An account's name holds letters, digits and @ . + - _ only."),
    "username_taken": _("There is an account “%(username)s” already."),
    "account_closed": _("The account is closed. Open it first."),
    "account_already": _("The account is in that state already. Reload the page."),
    "own_account": _("Nobody manages their own account; the password is changed under “Change password”."),
    "same_password": _("That is the password the account has. Choose another."),
    "reason_required": _("Please give a reason of at least 10 characters."),
}


class Refused(Exception):
    """An act that may not be done; `code` is a key of `SENTENCES`, `str()` the sentence."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = values
        super().__init__(code)

    def __str__(self) -> str:
        return str(SENTENCES[self.code]) % self.values
