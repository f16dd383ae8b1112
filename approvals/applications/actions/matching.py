"""The data match at work: what waits at the data check is matched, hits are kept, people waive them with a reason."""

import json
from collections.abc import Collection, Iterable
from datetime import date

from django.db import connection, transaction
from django.utils import timezone

from approvals.applications import hits, matching
from approvals.applications.actions.submitting import not_for_long
from approvals.applications.findings import registered
from approvals.applications.models import Application, Hit
from approvals.applications.refusals import Refused
from approvals.applications.sources.base import BLOCK, INFO
from approvals.organisations.authority import UserActor
from approvals.people import registers
from approvals.programmes.models import ProgrammeVersion
from workflows import decide, record
from workflows.actors import SYSTEM, Actor
from workflows.bars import bars_of
from workflows.clock import today
from workflows.copying import array, ints_array
from workflows.facts import set_facts, set_open_hits
from workflows.flows.aid import AidFlow
from workflows.models import Case, WorkItem
from workflows.moving import take_level
from workflows.queries import open_item_of, queue_of
from workflows.reasons import Reason, refusal_of
from workflows.refusals import words

CHUNK = 500
"""Applications matched in one transaction."""
WAIVES = "recheck_county"
"""The permission that waiving a hit needs, and the level at which whoever waives acts on the case."""
LEVEL = "recheck"

# Case and item are locked together, in the order in which `decide` locks them.
_WAITING = f"""
    SELECT i.id, c.id, c.open_hits
      FROM {WorkItem._meta.db_table} i JOIN {Case._meta.db_table} c ON c.id = i.case_id
     WHERE i.queue = %s AND i.finished IS NULL
     ORDER BY i.id LIMIT %s FOR NO KEY UPDATE OF c, i SKIP LOCKED
"""


def match_waiting(limit: int = CHUNK) -> int:
    """Matches applications that wait at the data check and sends them on; returns how many.

    Two machines never take the same one; killed at any moment, nothing is lost or done twice.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, [queue_of(AidFlow.kind, "data_check"), limit])
            rows = cursor.fetchall()
        if not rows:
            return 0
        items = {case: item for item, case, _hits in rows}
        outcome = match_locked({case: count for _item, case, count in rows}, registers.current(), {}, today())
        hit = [items[case] for case, count in outcome.open_hits.items() if count]
        clear = [items[case] for case, count in outcome.open_hits.items() if not count]
        results = [*decide(hit, "hit", SYSTEM), *decide(clear, "clear", SYSTEM)]
    return sum(result.ok for result in results)


def match_locked(
    cases: dict[int, int], lists: dict[str, int], versions: dict[int, ProgrammeVersion], on: date
) -> hits.Outcome:
    """Matches cases that the caller has locked, {case: unwaived hits so far}, and keeps what was found."""
    results = matching.match(cases, lists, versions, on)
    outcome = hits.keep(results, lists, timezone.now())
    _note_entries(results.values())
    set_open_hits({case: count for case, count in outcome.open_hits.items() if count != cases[case]})
    return outcome


# What the register says now, in place of what it said before; the other findings keep their order.
_NOTE = f"""
    UPDATE {Application._meta.db_table} a SET findings = fresh.findings
      FROM (SELECT a.case_id,
                   COALESCE(jsonb_agg(f.finding ORDER BY f.place) FILTER (WHERE f.finding ->> 'code' <> 'registered'),
                            '[]') || told.entry AS findings
              FROM unnest(%s::bigint[], %s::jsonb[]) AS told (case_id, entry)
              JOIN {Application._meta.db_table} a ON a.case_id = told.case_id
              LEFT JOIN LATERAL jsonb_array_elements(a.findings) WITH ORDINALITY AS f (finding, place) ON true
             GROUP BY a.case_id, told.entry) fresh
     WHERE a.case_id = fresh.case_id AND a.findings <> fresh.findings
"""


def _note_entries(results: Collection[matching.Match]) -> None:
    """Writes what the registers of households say into the findings of what is still judged."""
    judged = [result for result in results if result.of.judged]
    entries = [json.dumps([registered(result.entry)] if result.entry else []) for result in judged]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [ints_array(one.of.case_id for one in judged), array(entries)])


# ---------------------------------------------------------------- waiving


def waive_hits(case_ids: Iterable[int], by: Actor, reason: Reason | None) -> int:
    """Waives the open hits of cases whose re-check found them unfounded; returns how many.

    Called by the re-check's approval, which has checked the reason and the permission (DOMAIN.md §3.1), and which
    a hit that must be waived by itself, or was found since the case came there, does not let through.
    """
    cases = list(case_ids)
    asking = Hit.objects.filter(application__in=cases, waived_at=None).exclude(weight__in=[INFO, BLOCK])
    with_hits = sorted(set(asking.values_list("application_id", flat=True)))
    waived = asking.update(waived_at=timezone.now(), waived_by=by.name, waived_reason=reason.text if reason else "")
    set_facts(cases, open_hits=0)
    record.write("waive", "case", with_hits, by, step="recheck", reason=reason)
    return waived


def waive_hit(hit_id: int, by: UserActor, reason: Reason) -> Hit:
    """Waives one hit, wherever its case stands, by whoever may re-check it there; nothing moves.

    Raises Refused (hit_not_open, other_level, busy, or what else the engine says), PermissionDenied, Hit.DoesNotExist.
    """
    with not_for_long(), transaction.atomic():
        case_id = Hit.objects.values_list("application_id", flat=True).get(pk=hit_id)
        case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
        hit = Hit.objects.select_for_update(of=("self",)).get(pk=hit_id)
        post = by.require(WAIVES, case.path)
        if not hit.asks:
            raise Refused("hit_not_open")
        if code := refusal_of(reason, "approve", required=True):
            raise Refused("said", message=words(code, {}))
        if barred := bars_of([case_id], by.key)[case_id].refusal(by, case.path, LEVEL):
            raise Refused("said", message=words(*barred))
        if not take_level([(case_id, LEVEL)], by.key):
            raise Refused("other_level")
        hit.waived_at, hit.waived_by, hit.waived_reason = timezone.now(), by.name, reason.text
        hit.save(update_fields=["waived_at", "waived_by", "waived_reason"])
        left = Hit.objects.filter(application=case_id, waived_at=None).exclude(weight=INFO).count()
        set_facts([case_id], open_hits=left)
        here = open_item_of(case_id)
        record.write(
            "waive", "case", [case_id], by, post=post, path=case.path, reason=reason,
            step=here.flow_task.name if here else "", data={"code": hit.code},
        )  # fmt: skip
    return hit
