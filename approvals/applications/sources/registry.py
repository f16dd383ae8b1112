"""The kinds of sources there are, in the order in which they are shown."""

from approvals.applications.sources.base import RECHECK, Kind, Says

_kinds: dict[str, Kind] = {}
_says: dict[str, Says] = {}


def register(kind: type[Kind]) -> type[Kind]:
    """Makes a kind known. A code of it that another kind has too is a mistake: ValueError."""
    if kind.code in _kinds or set(kind.says) & set(_says):
        raise ValueError(f"registered twice: {kind.code}")
    _kinds[kind.code] = kind()
    _says.update(kind.says)
    return kind


def kinds() -> list[Kind]:
    """All of them."""
    return list(_kinds.values())


def listed_kinds() -> list[Kind]:
    """Those that an uploaded list is behind."""
    return [kind for kind in _kinds.values() if kind.columns]


def kind_of(code: str) -> Kind | None:
    return _kinds.get(code)


def says(code: str) -> Says | None:
    """What a code of a hit says; None for one of a kind that is no longer there."""
    return _says.get(code)


def weight_of(code: str) -> str:
    """info, recheck or block; what nobody knows any more asks for the re-check."""
    return _says[code].weight if code in _says else RECHECK


def stopping_payment() -> list[str]:
    """The codes of hits for which nothing is paid while they stand unwaived."""
    return [code for code, says in _says.items() if says.stops_payment]
