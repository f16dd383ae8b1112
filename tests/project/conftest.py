"""A database for commands that run as processes of their own."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker


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
        login = ":".join(filter(None, (there["USER"], there.get("PASSWORD"))))
        place = {"host": there["HOST"], "port": there["PORT"]}
        yield f"postgresql://{login}@/{name}?{urlencode({key: value for key, value in place.items() if value})}"
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
