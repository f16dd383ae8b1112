"""One case in every state at every relation to three offices, made once, and everybody who holds a post there."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.permissions.world import World, build


@pytest.fixture(scope="module")
def world_of_this_module(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Stays in one transaction that is never committed, for the tests of one file."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


@pytest.fixture
def world(world_of_this_module: World, db: None) -> World:
    """What a test does to it is undone."""
    return world_of_this_module
