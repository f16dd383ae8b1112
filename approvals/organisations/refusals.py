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
