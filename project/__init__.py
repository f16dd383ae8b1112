from pathlib import Path

from project.translations import compile_stale

# Before anything of Django's is set up: a catalogue that has been looked for in vain is not looked for again.
compile_stale(Path(__file__).resolve().parent.parent)

from project.celery import app as celery_app  # noqa: E402

VERSION = "0.1.0"

__all__ = ["VERSION", "celery_app"]
