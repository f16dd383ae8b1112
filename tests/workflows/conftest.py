"""The engine alone: without the rooms' listeners and guards, and with a route of another kind beside the aid route."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.test import modify_settings

from workflows import events, guards, panels


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the rooms registered is not there; a test registers its own."""
    monkeypatch.setattr(events, "_listeners", [])
    monkeypatch.setattr(events, "_act_listeners", {})
    monkeypatch.setattr(guards, "_guards", {})
    monkeypatch.setattr(panels, "_members", [])
    monkeypatch.setattr(panels, "_holding", [])


@pytest.fixture(scope="session", autouse=True)
def leave_is_installed(django_db_setup: None) -> Iterator[None]:
    """The app in which the leave route lives, so that viewflow can name it."""
    if apps.is_installed("tests.workflows.leave"):
        yield
        return
    with modify_settings(INSTALLED_APPS={"append": "tests.workflows.leave"}):
        yield
