"""The engine alone, as in tests/workflows; and threads that each have a session of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from tests.workflows.conftest import alone, leave_is_installed  # noqa: F401


@pytest.fixture
def at_once(transactional_db: None) -> Callable[..., list[Any]]:
    """Runs functions at the same time, each in its own thread and session; their results, or their exceptions."""

    def run(*functions: Callable[[], Any]) -> list[Any]:
        with ThreadPoolExecutor(len(functions)) as pool:
            return list(pool.map(_in_a_session, functions))

    return run


def _in_a_session(function: Callable[[], Any]) -> Any:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '50ms'")
        return function()
    except Exception as error:
        return error
    finally:
        connections.close_all()
