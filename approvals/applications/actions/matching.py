"""The data match at work: what waits at the data check is matched, hits are kept, people waive them with a reason."""

from collections.abc import Iterable

from django.db import connection, transaction
from django.utils import timezone

from approvals.applications import matching
from approvals.applications.findings import Finder
from approvals.applications.models import Application, Hit
from approvals.programmes.models import ProgrammeVersion
from workflows import decide, record
from workflows.actors import SYSTEM, Actor
from workflows.clock import today
from workflows.facts import set_facts
from workflows.flows.aid import AidFlow
from workflows.models import WorkItem
from workflows.queries import queue_of
from workflows.reasons import Reason

CHUNK = 500
"""Applications matched in one transaction."""

_WAITING = f"""
    SELECT id, case_id FROM {WorkItem._meta.db_table}
     WHERE queue = %s AND finished IS NULL
     ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""


def match_waiting(limit: int = CHUNK) -> int:
    """Matches applications that wait at the data check and sends them on; returns how many.

    Two machines never take the same one; killed at any moment, nothing is lost or done twice.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, [queue_of(AidFlow.kind, "data_check"), limit])
            items = {case: item for item, case in cursor.fetchall()}
        if not items:
            return 0
        open_hits = _match(items)
        hit = [items[case] for case, count in open_hits.items() if count]
        clear = [items[case] for case, count in open_hits.items() if not count]
        results = [*decide(hit, "hit", SYSTEM), *decide(clear, "clear", SYSTEM)]
    return sum(result.ok for result in results)


def _match(case_ids: Iterable[int]) -> dict[int, int]:
    """Matches these cases, keeps what was found, and returns how many unwaived hits each has."""
    applications = list(
        Application.objects.filter(case__in=list(case_ids))
        .select_related("student")
        .defer("circumstances", "guardian_id", "guardian_phone", "account_no", "student__id_number",
               "student__enrolment_no")
    )  # fmt: skip
    versions = ProgrammeVersion.objects.in_bulk({each.version_id for each in applications})
    hashes = [bytes(each.student.id_hash) for each in applications]
    finder = Finder(versions, {each.school_id for each in applications}, hashes, today())
    found = matching.match(applications, finder, versions)
    for each in applications:
        each.findings = matching.with_register(each.findings, found[each.case_id].entry)
    Application.objects.bulk_update(applications, ["findings"], batch_size=CHUNK)
    open_hits = _keep(found)
    _set_open_hits(open_hits)
    return open_hits


def _keep(found: dict[int, matching.Match]) -> dict[int, int]:
    """Keeps new hits, drops unwaived ones that are no longer true; a waived one does not count again, unless what
    was matched has changed since.
    """
    kept = {(hit.application_id, hit.source, hit.code): hit for hit in Hit.objects.filter(application__in=list(found))}
    now = {(case, hit.source, hit.code): hit.values for case, one in found.items() for hit in one.against}
    gone = [hit.pk for key, hit in kept.items() if key not in now and hit.waived_at is None]
    Hit.objects.filter(pk__in=gone).delete()
    stale = [
        hit
        for key, hit in kept.items()
        if key in now and (bytes(hit.facts or b"") != found[key[0]].facts or hit.values != now[key])
    ]
    for hit in stale:
        hit.facts, hit.values = found[hit.application_id].facts, now[hit.application_id, hit.source, hit.code]
        hit.waived_at, hit.waived_by, hit.waived_reason = None, "", ""
    Hit.objects.bulk_update(stale, ["facts", "values", "waived_at", "waived_by", "waived_reason"], batch_size=CHUNK)
    Hit.objects.bulk_create(
        Hit(application_id=case, source=source, code=code, values=values, facts=found[case].facts)
        for (case, source, code), values in now.items()
        if (case, source, code) not in kept
    )
    open_hits = dict.fromkeys(found, 0)
    for key in now:
        open_hits[key[0]] += key not in kept or kept[key].waived_at is None
    return open_hits


def _set_open_hits(open_hits: dict[int, int]) -> None:
    for count in set(open_hits.values()):
        set_facts([case for case, number in open_hits.items() if number == count], open_hits=count)


def waive_hits(case_ids: Iterable[int], by: Actor, reason: Reason | None) -> int:
    """Waives the open hits of cases whose re-check found them unfounded; returns how many.

    Called by the re-check's approval, which has checked the reason and the permission (DOMAIN.md §3.1).
    """
    cases = list(case_ids)
    hits = Hit.objects.filter(application__in=cases, waived_at=None)
    with_hits = sorted(set(hits.values_list("application_id", flat=True)))
    waived = hits.update(waived_at=timezone.now(), waived_by=by.name, waived_reason=reason.text if reason else "")
    set_facts(cases, open_hits=0)
    record.write("waive", "case", with_hits, by, step="recheck", reason=reason)
    return waived
