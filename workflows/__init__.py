"""The engine: cases, tasks, one door that moves them, working days and the record."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflows.decisions import decide
    from workflows.locking import Result
    from workflows.opening import CaseSpec, open_cases
    from workflows.reasons import Reason

__all__ = ["CaseSpec", "Reason", "Result", "decide", "open_cases"]

_HOMES = {
    "decide": "workflows.decisions",
    "Result": "workflows.locking",
    "Reason": "workflows.reasons",
    "open_cases": "workflows.opening",
    "CaseSpec": "workflows.opening",
}


def __getattr__(name: str) -> Any:
    """Loads a door when it is first used: models may not be imported before the app registry is ready."""
    if name not in _HOMES:
        raise AttributeError(f"module 'workflows' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
