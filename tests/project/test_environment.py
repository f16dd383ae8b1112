"""Settings from the environment: what is refused, and what a demo may do that nothing else may."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from project import environment

ROOT = Path(__file__).resolve().parents[2]
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def load_settings(**given: str) -> subprocess.CompletedProcess[str]:
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    code = "from project import settings as s; print(s.DEMO, s.SESSION_COOKIE_SECURE, s.DATABASES['default']['ENGINE'])"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=clean | given, capture_output=True, text=True, check=False
    )


def test_without_anything_it_is_a_demo_on_the_embedded_server() -> None:
    assert load_settings().stdout.split() == ["True", "False", "project.postgres"]


def test_a_secret_of_ones_own_makes_it_a_real_installation_that_wants_its_own_field_keys() -> None:
    result = load_settings(SECRET_KEY="x" * 60)
    assert result.returncode != 0
    assert "FIELD_KEYS must be set" in result.stderr


def test_a_real_installation_starts_with_its_own_secrets_and_secure_cookies() -> None:
    url = "postgres://u:p@db.example/zhuxue"
    result = load_settings(SECRET_KEY="x" * 60, FIELD_KEYS=f"a:{KEY},index:{KEY}", DATABASE_URL=url)
    assert result.stdout.split() == ["False", "True", "django.db.backends.postgresql"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS"])
def test_the_demo_s_own_secrets_are_refused_where_it_is_off(name: str) -> None:
    from project import settings

    demo = {
        "SECRET_KEY": "demo-secret-key-refused-wherever-DEMO-is-off-0123456789abcdef",
        "FIELD_KEYS": settings.DEMO_FIELD_KEYS,
    }
    own = {"SECRET_KEY": "x" * 60, "FIELD_KEYS": f"a:{KEY},index:{KEY}"}
    result = load_settings(DEMO="0", **(own | {name: demo[name]}))
    assert result.returncode != 0
    assert f"{name} must be set" in result.stderr


def test_the_first_field_key_writes_and_the_index_has_its_own() -> None:
    keys, index = environment.field_keys(f"new:{KEY}, old:{KEY},index:{KEY}")
    assert list(keys) == ["new", "old"]
    assert len(index) == 32


@pytest.mark.parametrize("given", ["", f"a:{KEY}", f"index:{KEY}", "a:short,index:short", f"a:{KEY},index:!!"])
def test_field_keys_that_could_not_encrypt_are_refused(given: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        environment.field_keys(given)


def test_a_database_url_is_read_with_its_escapes_and_options() -> None:
    read = environment.database("postgres://us%40er:p%2Fw@h:5433/na%20me?sslmode=require")
    assert (read["USER"], read["PASSWORD"], read["HOST"], read["PORT"]) == ("us@er", "p/w", "h", "5433")
    assert (read["NAME"], read["OPTIONS"]) == ("na me", {"sslmode": "require"})


def test_a_socket_folder_may_stand_in_the_query() -> None:
    assert environment.database("postgresql:///zhuxue?host=/run/pg")["HOST"] == "/run/pg"


def test_another_engine_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="PostgreSQL"):
        environment.database("sqlite:///x")
