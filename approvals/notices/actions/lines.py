"""The lines of a notice: written from applications, numbered, taken off, settled."""

import json
from collections.abc import Iterable, Sequence

from django.db import connection

from approvals.notices import listing, queries, wording
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.refusals import Refused
from approvals.notices.steps import NUMBER, STEPS
from approvals.organisations.authority import UserActor
from approvals.organisations.roles import matrix
from workflows import record
from workflows.actors import Actor
from workflows.clock import Moment
from workflows.copying import among, copy, fields, ints_array, line
from workflows.decisions import decide
from workflows.facts import drop_noticed
from workflows.flows.aid import AidFlow
from workflows.locking import Result
from workflows.queries import open_items
from workflows.reasons import Reason

UNPUBLISHED = ("draft", "pending_review", "scheduled", "paused")
"""States in which a list may be counted and numbered anew: nobody reads it."""
LISTS = f"{NoticeLine._meta.db_table}"

# ---------------------------------------------------------------- writing


def write_lines(notice: Notice, case_ids: Sequence[int]) -> None:
    """Writes the lines: what the public will see of each case, and nothing else."""
    rows = listing.rows(case_ids, notice.columns, notice.subject, notice.mask_names)
    same = fields((notice.pk, notice.step, "listed", "", True))
    written = (
        f"{same}\t{line((case, number, json.dumps(shown, ensure_ascii=False)))}"
        for number, (case, shown) in enumerate(rows, 1)
    )
    with connection.wrap_database_errors:
        copy(NoticeLine, "notice_id step state reason open case_id number shown", written)
    recount(notice)


def recount(notice: Notice) -> None:
    """Brings counts, amount and the text that names them up to date with the list."""
    now = queries.content(notice)
    notice.line_count, notice.amount = now.count, now.amount
    notice.body = wording.body(notice)
    notice.save(update_fields=["line_count", "amount", "body"])


_OUT_OF_THE_WAY = f"""
    UPDATE {LISTS} SET number = number + (SELECT max(number) FROM {LISTS} WHERE notice_id = %(notice)s)
     WHERE notice_id = %(notice)s
"""
_IN_ORDER = f"""
    UPDATE {LISTS} line SET number = place.number, shown = CASE
           WHEN line.state <> 'removed' AND line.shown ? %(heading)s
           THEN jsonb_set(line.shown, ARRAY[%(heading)s], to_jsonb(place.number::text)) ELSE line.shown END
      FROM (SELECT id, row_number() OVER (ORDER BY state = 'removed', number) AS number
              FROM {LISTS} WHERE notice_id = %(notice)s) place
     WHERE line.id = place.id
"""


def renumber(notice: Notice) -> None:
    """Numbers a list from 1 again where a line has left it before it was public; those that left stand behind.

    In two steps, since no two lines may bear one number at any moment.
    """
    last = queries.listed(notice).order_by("-number").values_list("number", flat=True).first()
    if last is None or last == queries.listed(notice).count():
        return
    with connection.cursor() as cursor:
        cursor.execute(_OUT_OF_THE_WAY, {"notice": notice.pk})
        cursor.execute(_IN_ORDER, {"notice": notice.pk, "heading": NUMBER})


_SHOW = f"""
    UPDATE {LISTS} line SET number = told.number, shown = told.shown::jsonb
      FROM unnest(%(cases)s::bigint[], %(numbers)s::int[], %(shown)s::text[]) AS told (case_id, number, shown)
     WHERE line.notice_id = %(notice)s AND line.case_id = told.case_id AND line.state <> 'removed'
"""


def show_anew(notice: Notice) -> None:
    """Writes what is shown of each line again, from the applications as they are now and the columns as chosen.

    For a list that was taken out of view: its earlier edition keeps what it showed.
    """
    cases = list(queries.listed(notice).values_list("case", flat=True))
    rows = listing.rows(cases, notice.columns, notice.subject, notice.mask_names)
    with connection.cursor() as cursor:
        cursor.execute(_OUT_OF_THE_WAY, {"notice": notice.pk})
        cursor.execute(
            _SHOW,
            {
                "notice": notice.pk,
                "cases": ints_array(case for case, _ in rows),
                "numbers": ints_array(range(1, len(rows) + 1)),
                "shown": [json.dumps(shown, ensure_ascii=False) for _, shown in rows],
            },
        )
    recount(notice)


# ---------------------------------------------------------------- leaving


def withdraw_line(line_id: int, by: UserActor, reason: Reason) -> Result:
    """Takes one line off a list: its case goes back to review, to be noticed again; the rest goes on.

    `by` must hold the reviewer's permission of the step. Raises Refused when the line is on no open list.
    """
    found = NoticeLine.objects.select_related("notice").defer("notice__frozen").get(pk=line_id)
    by.require(STEPS[found.step].reviewer, found.notice.path)
    items = open_items(AidFlow.kind, found.step, [found.case_id])
    stated = matrix().in_state(f"{found.step}.withdraw_line", found.notice.state)
    if found.state == "objected":
        raise Refused("objected")
    if not stated or not found.open or found.state != "listed" or found.case_id not in items:
        raise Refused("not_listed")
    return decide([items[found.case_id]], "adjust", by, reason)[0]


def remove_lines(case_ids: Iterable[int], step: str, by: Actor, reason: Reason | None, at: Moment) -> None:
    """Takes the lines of cases that left a notice step off its list; part of the move (listeners.py).

    A notice that is public keeps its frozen bytes and says how many lines were removed; one that is not
    counts anew.
    """
    cases = list(case_ids)
    drop_noticed(cases, step)
    lines = NoticeLine.objects.filter(case__in=cases, step=step, open=True)
    ids = set(lines.values_list("notice", flat=True))
    unpublished = list(
        Notice.objects.filter(pk__in=ids, state__in=UNPUBLISHED)
        .select_related("organisation", "supplements")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    lines.update(state="removed", open=False, reason=reason.text if reason else "")
    for notice in unpublished:
        recount(notice)
    for notice in Notice.objects.filter(pk__in=ids).only("pk", "path"):
        post = by.permits(STEPS[step].reviewer, [notice.path]).get(notice.path, "")
        record.write(
            "remove_line", "notice", [notice.pk], by, post=post, step=step, path=notice.path, reason=reason, at=at
        )


def confirm_lines(case_ids: Iterable[int], step: str) -> None:
    """Settles the lines of cases whose notice concluded; part of the move (listeners.py)."""
    NoticeLine.objects.filter(case__in=among(case_ids), step=step, open=True).update(state="confirmed", open=False)
