"""Texts are found in Python and in templates, and catalogues are compiled without gettext."""

import gettext
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polib
import pytest

from project import translations
from project.management.commands import messages
from project.management.commands.messages import Message

PYTHON = """
from django.utils.translation import gettext_lazy as _, ngettext, pgettext
a = _("Return")
b = ngettext("%(n)d line", "%(n)d lines", 3) % {"n": 3}
c = pgettext("of a month", "May")
not_a_text = "Leave me"
"""
TEMPLATE = """{% load i18n %}
  <c-button label="{% translate 'Approve' %}">It's {{ name }}</c-button>
{% if x %}
      {% blocktranslate count n=rows|length trimmed %}
        {{ n }} row
      {% plural %}
        {{ n }} rows
      {% endblocktranslate %}
{% endif %}
    {% translate "May" context "of a month" %}
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "models.py").write_text(PYTHON)
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    return tmp_path


def test_texts_are_found_in_python_and_in_templates_with_plurals_and_contexts(app: Path) -> None:
    assert set(messages.extract(app, nested=[])) == {
        Message("Return"),
        Message("%(n)d line", "%(n)d lines"),
        Message("May", context="of a month"),
        Message("Approve"),
        Message("%(n)s row", "%(n)s rows"),
    }


def test_an_app_inside_the_folder_keeps_its_own_texts(app: Path) -> None:
    assert Message("Approve") not in set(messages.extract(app, nested=[app / "templates"]))


def test_bringing_up_to_date_keeps_translations_adds_what_is_new_and_drops_what_is_gone(app: Path) -> None:
    file = app / "locale" / "django.po"
    messages.update(file, {Message("Return"), Message("Gone")})
    catalogue = polib.pofile(str(file))
    catalogue.find("Return").msgstr = "退回"
    catalogue.save()

    messages.update(file, {Message("Return"), Message("New")})

    assert {entry.msgid: entry.msgstr for entry in polib.pofile(str(file))} == {"Return": "退回", "New": ""}


def test_a_missing_an_unused_and_an_untranslated_text_are_each_told(app: Path, settings: Any) -> None:
    settings.BASE_DIR = app
    file = app / "locale" / "django.po"
    messages.update(file, {Message("Untranslated"), Message("Unused")})
    told = messages.compare(file, {Message("Untranslated"), Message("Missing")})
    assert [problem.split(": ")[1] for problem in told if "Missing" in problem] == ["missing 'Missing'"]
    assert [problem.split(": ")[1] for problem in told if "unused" in problem] == ["unused 'Unused'"]
    assert any(problem.endswith("untranslated 'Untranslated'") for problem in told)


def test_a_catalogue_is_compiled_when_it_is_newer_and_not_again(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path
    file = tmp_path / "approvals" / "room" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    messages.update(file, {Message("Return")})
    catalogue = polib.pofile(str(file))
    catalogue.find("Return").msgstr = "退回"
    catalogue.save()

    assert translations.compile_stale() == 1
    assert translations.compile_stale() == 0
    with file.with_suffix(".mo").open("rb") as compiled:
        assert gettext.GNUTranslations(compiled).gettext("Return") == "退回"

    os.utime(file, (file.stat().st_atime, file.stat().st_mtime + 5))
    assert translations.compile_stale() == 1


def test_nothing_half_written_is_left_beside_a_catalogue(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path
    file = tmp_path / "workflows" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    messages.update(file, {Message("Return")})
    translations.compile_stale()
    assert sorted(path.name for path in file.parent.iterdir()) == ["django.mo", "django.po"]


def test_one_text_translated_in_two_ways_is_told_and_one_not_yet_translated_is_not(
    tmp_path: Path, settings: Any
) -> None:
    settings.BASE_DIR = tmp_path
    for app, translation in (("workflows", "退回"), ("notifications", "返回"), ("project", "")):
        file = tmp_path / app / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
        messages.update(file, {Message("Return")})
        catalogue = polib.pofile(str(file))
        catalogue.find("Return").msgstr = translation
        catalogue.save()
    (conflict,) = messages.conflicts()
    assert "退回" in conflict
    assert "返回" in conflict


def test_the_very_first_start_speaks_chinese(tmp_path: Path) -> None:
    """A fresh checkout has no compiled catalogue: a process begun there finds them when it first says something."""
    root = Path(__file__).resolve().parents[2]
    for part in ("project", "workflows", "approvals", "notifications", "fixtures"):
        shutil.copytree(root / part, tmp_path / part, ignore=shutil.ignore_patterns("*.mo", "__pycache__"))
    said = subprocess.run(
        [sys.executable, "-c", FIRST_WORDS],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.stdout.split() == ["退回补正", "学校审核中"], said.stderr[-2000:]


FIRST_WORDS = """
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
django.setup()
from django.utils import translation
from workflows.nodes import OUTCOMES
from workflows.states import NAMES
with translation.override("zh-hans"):
    print(OUTCOMES["return"], NAMES["school_review"])
"""


HALF_WIDTH = re.compile(r"[\u4e00-\u9fff”’》）][,:;?!(]|[,:;?!)][\u4e00-\u9fff“‘《]|[\u4e00-\u9fff]\)")


@pytest.mark.parametrize("catalogue", translations.catalogues(), ids=lambda path: path.parents[3].name)
def test_chinese_sentences_are_punctuated_as_chinese(catalogue: Path) -> None:
    texts = [text for entry in polib.pofile(str(catalogue)) for text in (entry.msgstr, *entry.msgstr_plural.values())]
    assert [text for text in texts if HALF_WIDTH.search(text)] == []
