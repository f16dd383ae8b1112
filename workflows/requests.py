"""The id of the request under way, which ties log lines and record lines together."""

from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """The present request's id; empty outside a request."""
    return _current.get()


def set_request_id(value: str) -> None:
    """Sets it; called by the middleware at the start of a request."""
    _current.set(value)
