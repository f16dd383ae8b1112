"""The standing queries there are, in the order of their numbers."""

from approvals.oversight.audits.base import Audit

_audits: dict[str, Audit] = {}


def register(audit: type[Audit]) -> type[Audit]:
    """Makes a query known. A number given twice is a mistake: ValueError."""
    if audit.code in _audits:
        raise ValueError(f"registered twice: {audit.code}")
    _audits[audit.code] = audit()
    return audit


def audits() -> list[Audit]:
    """All of them, A1 first."""
    return sorted(_audits.values(), key=lambda audit: int(audit.code[1:]))


def audit_of(code: str) -> Audit | None:
    return _audits.get(code)
