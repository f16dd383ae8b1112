"""One JSON line an event, on stderr, tied together by the request id, and without anybody's numbers."""

import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from approvals.people.masking import mask_text
from workflows.requests import request_id

# What was searched for, in a line that quotes a request: "GET /awards/?name=… HTTP/1.1"
QUERY = re.compile(r"\?\S*(?= HTTP/\d)")


def without_secrets(value: Any) -> Any:
    """Masks what looks like a personal number, and drops query strings, in any text of the event, however deep.

    A number that is no text counts too: an event may hold an account as an int.
    """
    if isinstance(value, str):
        return QUERY.sub("", mask_text(value))
    if isinstance(value, int) and not isinstance(value, bool):
        masked = mask_text(str(value))
        return value if masked == str(value) else masked
    if isinstance(value, dict):
        return {without_secrets(key): without_secrets(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(item) for item in value]
    return value


def without_personal_data(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    return {key: without_secrets(value) for key, value in event.items()}


def with_request_id(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if current := request_id():
        event.setdefault("request_id", current)
    return event


SHARED = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=False),
    with_request_id,
]


def _to_json() -> list[Any]:
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        without_personal_data,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def logging_settings(level: str) -> dict[str, Any]:
    """The LOGGING setting: everything, Django's and the libraries' too, through one JSON handler on stderr."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": _to_json(),
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would print a second, unmasked line.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            "celery": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
        },
    }
