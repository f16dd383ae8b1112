"""Catalogues of translations: compiled here in Python, since a fresh machine has no gettext.

Every app owns `locale/<language>/LC_MESSAGES/django.po`; the `.mo` beside it is derived, not committed, and made
again whenever the `.po` is newer.
"""

import os
from contextlib import suppress
from pathlib import Path

from django.conf import settings

OURS = ("project", "workflows", "approvals", "notifications")


def catalogues(root: Path | None = None) -> list[Path]:
    """Every .po file of the project, or of a copy of it at `root`."""
    root = root or settings.BASE_DIR
    return sorted(file for part in OURS for file in (root / part).glob("**/locale/*/LC_MESSAGES/*.po"))


def compile_stale(root: Path | None = None) -> int:
    """Compiles what changed since it was compiled; returns how many. Safe when two commands do it at once."""
    stale = [file for file in catalogues(root) if _is_stale(file)]
    for file in stale:
        with suppress(PermissionError):  # an installation that is read-only was compiled when it was made
            _compile(file)
    return len(stale)


def _is_stale(file: Path) -> bool:
    compiled = file.with_suffix(".mo")
    return not compiled.exists() or compiled.stat().st_mtime < file.stat().st_mtime


def _compile(file: Path) -> None:
    import polib

    fresh = file.with_suffix(f".mo.{os.getpid()}")
    polib.pofile(str(file)).save_as_mofile(str(fresh))
    fresh.rename(file.with_suffix(".mo"))
