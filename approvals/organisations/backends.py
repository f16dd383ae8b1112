"""Django's `user.has_perm(…)`, answered from the posts."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied

from approvals.organisations.authority import actor_of
from approvals.organisations.models import User
from approvals.organisations.roles import matrix


class PostBackend(BaseBackend):
    """Answers the matrix's permissions on whatever has an office path: an organisation, a case, a notice, a batch.

    The posts have the last word: where they do not give a permission, guardian's projection is not asked.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        permission = perm.removeprefix("organisations.")
        path = getattr(obj, "path", None)
        if permission not in matrix().permissions or not isinstance(path, str):
            return False
        if not isinstance(user_obj, User) or not actor_of(user_obj).permits(permission, [path]):
            raise PermissionDenied
        return True
