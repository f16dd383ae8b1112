"""The engine alone, as in tests/workflows."""

from tests.workflows.conftest import alone  # noqa: F401
