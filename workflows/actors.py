"""Who acts. The engine knows a natural person and what that person may do, never posts or roles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from django.utils.translation import gettext_lazy as _


class Actor(Protocol):
    """A natural person (or the system) as the engine sees it."""

    @property
    def key(self) -> str:
        """The natural person's key, the same across accounts; empty for the system."""

    @property
    def name(self) -> str:
        """The name that the record keeps."""

    def permits(self, permission: str, paths: Iterable[str]) -> Mapping[str, str]:
        """Of the office `paths`, those where `permission` holds now, each with the post it rests on."""


@dataclass(frozen=True)
class LiteralActor:
    """An actor from a literal, for tests: {permission: [path prefix, …]}."""

    key: str
    name: str
    grants: Mapping[str, Iterable[str]] = field(default_factory=dict)

    def permits(self, permission: str, paths: Iterable[str]) -> dict[str, str]:
        prefixes = tuple(self.grants.get(permission, ()))
        return {path: "literal" for path in paths if prefixes and path.startswith(prefixes)}


class System:
    """The engine itself: timers, matches, payment results. Holds `system` everywhere and nothing else."""

    key = ""
    name = "system"

    def permits(self, permission: str, paths: Iterable[str]) -> dict[str, str]:
        return dict.fromkeys(paths, "system") if permission == "system" else {}

    def __str__(self) -> str:
        return str(_("System"))


SYSTEM = System()
