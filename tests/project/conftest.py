"""A database for commands that run as processes of their own."""

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.project.commands import address_of


@pytest.fixture
def new_database(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """The address of a database of this test's own: migrated, but without a row; or wholly empty (param "empty")."""
    there = connection.settings_dict
    name = f"{there['TEST']['NAME']}_doors"
    template = "template0" if getattr(request, "param", "") == "empty" else there["TEST"]["TEMPLATE"]
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        yield address_of(name)
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
