"""What the roster pages ask."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import pgettext_lazy as _p

from approvals.applications import findings
from approvals.applications.importing import ROWS_NAMED
from approvals.applications.models import Application, Roster
from approvals.applications.rosters.problems import SKIPPED
from approvals.organisations.queries import below
from approvals.programmes import queries as programmes
from workflows import record
from workflows.clock import CHINA, today

STATES: dict[str, Promise] = {
    "uploaded": _p("roster state", "Being read"),
    "previewed": _p("roster state", "Waiting for your decision"),
    "importing": _p("roster state", "Being taken over"),
    "taking": _p("roster state", "Being taken over"),
    "imported": _p("roster state", "Taken over"),
    "unreadable": _p("roster state", "Cannot be read"),
    "failed": _p("roster state", "Failed"),
    "discarded": _p("roster state", "Thrown away"),
}


def state_name(roster: Roster) -> str:
    """The name of a roster's state; a list of which no row can be taken waits for no decision."""
    if roster.state == "previewed" and not roster.valid:
        return gettext("No row to take over")
    return str(STATES.get(roster.state, roster.state))


def rosters_of(prefixes: Iterable[str]) -> QuerySet[Roster]:
    """Rosters of these offices' schools, newest first, without their files and rows."""
    rows = Roster.objects.filter(below(prefixes)).select_related("school", "uploaded_by")
    return rows.defer("content", "problems", "understood").order_by("-pk")


def roster(prefixes: Iterable[str], roster_id: int) -> Roster | None:
    """One roster without its file, but with `has_file`; None when it is not theirs to see."""
    rows = Roster.objects.filter(below(prefixes), pk=roster_id).select_related("school").defer("content")
    return rows.annotate(has_file=Q(content__isnull=False)).first()


def kept_until(roster: Roster) -> date | None:
    """The last day on which an uploaded file is there all day; None while there is no end yet, or no file."""
    if roster.settled_at is None or not roster.has_file:
        return None
    return (roster.settled_at + timedelta(settings.ROSTER_FILE_DAYS - 1)).astimezone(CHINA).date()


def target_names() -> dict[str, str]:
    """Names of programmes and of groups with several programmes, by code."""
    language = translation.get_language()
    names = {}
    for version in programmes.current():
        names[version.programme.group] = programmes_group(version, language)
        names[version.programme_id] = version.rules.display_name(language)
    return names


def programmes_group(version: Any, language: str | None) -> str:
    """The name of a version's group."""
    return str(version.rules.group_name_en if language == "en" else version.rules.group_name)


def project_names_today() -> list[str]:
    """What 资助项目 may hold on a roster today."""
    open_today = {window.programme_id for window in programmes.open_windows(today())}
    current = [version for version in programmes.current() if version.programme_id in open_today]
    return list(dict.fromkeys(version.rules.project for version in current))


def problems(roster: Roster, language: str) -> list[dict[str, Any]]:
    """The problems of a roster's rows with their sentences in one language."""

    def told(problem: dict[str, Any]) -> dict[str, Any]:
        return problem | {"message": problem["message"][language]}

    return [told(row) | {"also": [told(other) for other in row["also"]]} for row in roster.problems]


def finding_sentences(roster: Roster, language: str) -> list[dict[str, Any]]:
    """[{"sentence", "holds", "count", "rows"}]: what eligibility and register say of the valid rows; refuses nothing.

    `rows` are (row, pupil's name) of the first ones.
    """
    rules = {version.programme_id: version.rules for version in programmes.current()}
    told: dict[str, dict[str, Any]] = {}
    for row in roster.understood.get("findings", []):
        if row["programme"] not in rules:
            continue
        sentence = findings.sentence(rules[row["programme"]], row, language)
        # The programmes of a group say the same of their own rows.
        line = told.setdefault(sentence, {"sentence": sentence, "holds": row["holds"], "count": 0, "rows": []})
        line["count"] += row["count"]
        line["rows"] = sorted([*line["rows"], *row.get("rows", [])])[:ROWS_NAMED]
    return list(told.values())


def passed_over(roster: Roster) -> list[tuple[Promise | str, str]]:
    """(why, row numbers) of the rows that were not taken for a pupil's; of each kind the first ones."""
    found: dict[str, list[str]] = {}
    for skipped in roster.understood.get("skipped", []):
        found.setdefault(skipped["why"], []).append(str(skipped["row"]))
    return [
        (SKIPPED.get(why, why), "、".join(rows[:ROWS_NAMED]) + ("…" if len(rows) > ROWS_NAMED else ""))
        for why, rows in found.items()
    ]


def drafts_of(roster: Roster) -> int:
    """How many applications of a roster are still drafts."""
    return Application.objects.filter(roster=roster.pk, case__state="draft").count()


def papers_held(roster: Roster) -> list[tuple[str, date, str]]:
    """(paper, day, by whom) of the signed papers that are registered for a whole list."""
    held: dict[str, str] = {}
    for line in record.history("roster", roster.pk).filter(act__in=["confirm", "confirm_papers"]):
        for paper in ("commitment", "consent"):
            if line.data.get(paper):
                held.setdefault(paper, line.actor_name)
            else:
                held.pop(paper, None)
    days = {"commitment": roster.commitment_on, "consent": roster.consent_on}
    return [(paper, day, held.get(paper, "")) for paper, day in days.items() if day]
