"""What every test gets: a database of its own made in a second, and the language of the pages."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation

from tests import kept

ROOT = Path(__file__).resolve().parent.parent

hypothesis.settings.register_profile("ours", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("ours")


def pytest_configure(config: pytest.Config) -> None:
    # A test's rows need not survive a power cut; hashing passwords slowly and hashing static names prove nothing.
    options = settings.DATABASES["default"]["OPTIONS"]
    options["options"] = f"{options.get('options', '')} -c synchronous_commit=off"
    # Servers that tests start collect their files beside each other: each process of tests has a folder of its own.
    settings.STATIC_ROOT = Path(tempfile.mkdtemp(prefix="zhuxue-static-"))
    os.environ["STATIC_DIR"] = str(settings.STATIC_ROOT)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["STATIC_DIR"], ignore_errors=True)


# ---------------------------------------------------------------- journeys
# Without Chromium they are skipped, which a person sees and CI (REQUIRE_JOURNEYS=1) does not accept.

_journeys = {"ran": 0, "skipped": 0}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if "journey" in report.keywords and (report.skipped or report.when == "call"):
        _journeys["skipped" if report.skipped else "ran"] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    required = os.environ.get("REQUIRE_JOURNEYS") and not hasattr(session.config, "workerinput")
    if required and (_journeys["skipped"] or not _journeys["ran"]):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get("REQUIRE_JOURNEYS"):
        terminalreporter.write_line("journeys: {ran} ran, {skipped} skipped".format(**_journeys))


# ---------------------------------------------------------------- every test


@pytest.fixture(autouse=True)
def in_chinese() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


@pytest.fixture(autouse=True)
def files_of_this_test(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "evidence"


@pytest.fixture(autouse=True)
def nothing_counted_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a minute a reader's request writes what was counted; in no test by chance."""
    from approvals.notices.archive import counting

    counting.forget()
    monkeypatch.setattr(counting, "EVERY", float("inf"))


# ---------------------------------------------------------------- database
# Migrations run once for all workers, and for later runs until one of them changes: into a template, of which
# each worker's database is a copy.


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any) -> None:
    test = connection.settings_dict["TEST"]
    template = test["TEMPLATE"] = f"{test['NAME'].split('_gw')[0]}_template"
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")  # the first worker takes its time
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [template])
        cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [template])
        if cursor.fetchone() != (_fingerprint(),):
            cursor.execute(f'DROP DATABASE IF EXISTS "{template}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{template}" TEMPLATE template0')
            _migrate(template)
            cursor.execute(f"COMMENT ON DATABASE \"{template}\" IS '{_fingerprint()}'")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    TransactionTestCase._fixture_teardown = lambda self: kept.empty()


def _fingerprint() -> str:
    """Of everything the tables come from: our migrations, and the versions of the libraries that have their own."""
    digest = hashlib.sha256()
    files = [*ROOT.glob("workflows/migrations/*.py"), *ROOT.glob("*/*/migrations/*.py"), ROOT / "uv.lock"]
    for file in sorted({*files, *ROOT.glob("*/migrations/*.py")}):
        digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()


def _migrate(template: str) -> None:
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = template
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
