"""Reminding reviewers of deadlines, bringing what is overdue or undecidable before the office above (DOMAIN.md §3.0).

Nothing here decides anything: people are told, and the case says so.
"""

from collections import Counter, defaultdict
from datetime import date

from django.db import connection, transaction

from approvals.organisations.authority import holders
from approvals.organisations.models import Organisation, Post, User
from approvals.organisations.projection import return_what_is_not_theirs
from approvals.organisations.proposals import MANAGES
from approvals.organisations.roles import matrix
from notifications import send_all
from workflows import deadlines
from workflows.acts import free_missed
from workflows.bars import TODAY
from workflows.clock import moment, today
from workflows.events import Acted, on_act
from workflows.flows.aid import REVIEWERS, AidFlow
from workflows.queries import queue_of
from workflows.vacancies import renew, renew_stale
from workflows.versions import step_of

OVERSEES = "oversee_queue"
AT_ONCE = 2000


# ---------------------------------------------------------------- reminders


def remind() -> int:
    """Tells everybody, once a business day, how much of what he may decide is due soon or overdue."""
    return deadlines.once_a_day("remind", _remind)


def _remind(on: date) -> None:
    loads = defaultdict(list)
    for load in deadlines.loads(on):
        loads[load.queue].append(load)
    near: Counter[int] = Counter()
    overdue: Counter[int] = Counter()
    for step, permission in REVIEWERS.items():
        waiting = loads[queue_of(AidFlow.kind, step)]
        people = holders(permission, [load.path for load in waiting])
        for load in waiting:
            for user in people[load.path]:
                near[user] += load.near
                overdue[user] += load.overdue
    told = [
        ([user], 0, on.isoformat(), {"near": near[user], "overdue": overdue[user]}) for user in near.keys() | overdue
    ]
    send_all("deadlines", "queue", told)


# ---------------------------------------------------------------- escalation


def escalate() -> int:
    """Brings overdue tasks before the office above, some at a time."""
    return deadlines.escalate(today(), AT_ONCE)


# An open review is undecidable when no holder of its permission at its office, or above, is free to decide it: not
# recused, and not active on the case at another level. One that is decided jointly, when nobody sits on its panel, or
# fewer than its quorum. One that was brought before the office above for being overdue is brought there for this too.
_UNDECIDABLE = f"""
    SELECT i.id, i.case_id, i.path, i.queue
      FROM workflows_workitem i JOIN workflows_case c ON c.id = i.case_id
     WHERE i.queue = %(queue)s AND i.finished IS NULL AND (%(again)s OR i.escalated_on IS NULL OR NOT EXISTS (
           SELECT 1 FROM workflows_record l
            WHERE l.about = 'case' AND l.about_id = i.case_id AND l.item = i.id AND l.act = 'escalate'
              AND l.data ->> 'why' = 'undecidable'))
       AND (%(only)s::bigint[] IS NULL OR i.id = ANY(%(only)s::bigint[]))
       AND CASE WHEN i.panel IN ('all', 'any', 'share') THEN GREATEST(1, i.quorum) > (
           SELECT count(*) FROM workflows_signer s
            WHERE s.item_id = i.id AND s.ended_at IS NULL AND s.part = 'panel') ELSE NOT EXISTS (
           SELECT 1 FROM {Post._meta.db_table} p
             JOIN {Organisation._meta.db_table} o ON o.id = p.organisation_id AND starts_with(i.path, o.path)
             JOIN {User._meta.db_table} u ON u.id = p.user_id AND u.is_active
            WHERE p.role = ANY(CASE WHEN i.path = o.path THEN %(here)s::varchar[] ELSE %(below)s::varchar[] END)
              AND p.revoked_at IS NULL
              AND p.starts_on <= {TODAY} AND (p.ends_on IS NULL OR p.ends_on >= {TODAY})
              AND NOT EXISTS (
                  SELECT 1 FROM workflows_recusal r
                   WHERE r.person = replace(u.person::text, '-', '') AND r.ended_at IS NULL
                     AND (r.levels = '{{}}' OR %(level)s = ANY(r.levels))
                     AND (r.case_id = i.case_id OR (r.case_id IS NULL AND starts_with(i.path, r.path))))
              AND NOT EXISTS (
                  SELECT 1 FROM workflows_actinglevel a
                   WHERE a.case_id = i.case_id AND a.person = replace(u.person::text, '-', '')
                     AND a.level <> %(level)s)) END
     ORDER BY i.id LIMIT %(limit)s
"""
_LOCKED = f"{_UNDECIDABLE} FOR NO KEY UPDATE OF c, i SKIP LOCKED"


def find_undecidable(limit: int = AT_ONCE) -> int:
    """Finds reviews that nobody may decide, and brings each before the office above once; returns how many.

    They stay visible in the queue and can be decided as soon as somebody, a deputy for instance, may. Whoever lost his
    post is waited for no longer.
    """
    free_missed()
    renew_stale(limit=limit)
    return sum(_bring_above(_values(step, limit)) for step in REVIEWERS)


def _bring_above(values: dict[str, object]) -> int:
    with transaction.atomic():
        short = _stuck(values | {"again": True})
        renew([task for task, *_ in short], moment())  # who came later takes the empty seats
        stuck = _stuck(values)
        deadlines.escalated(stuck, "undecidable")
    return len(stuck)


def undecidable(task: int, step: str) -> bool:
    """Whether nobody at all may decide an open review as posts and recusals are now."""
    with connection.cursor() as cursor:
        cursor.execute(_UNDECIDABLE, _values(step, 1) | {"again": True, "only": [task]})
        return cursor.fetchone() is not None


def _values(step: str, limit: int) -> dict[str, object]:
    here, below = matrix().roles_reaching(REVIEWERS[step])
    return {
        "queue": queue_of(AidFlow.kind, step),
        "here": here,
        "below": below,
        "level": step_of(AidFlow.kind, step).level,
        "limit": limit,
        "again": False,
        "only": None,
    }


def _stuck(values: dict[str, object]) -> list[tuple[int, int, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED, values)
        return list(cursor.fetchall())


@on_act("step_aside")
def tell_at_once(acted: Acted) -> None:
    """回避: where whoever steps aside was the last who could decide, it is said now and not within the hour."""
    tasks: dict[str, list[int]] = defaultdict(list)
    for task, _case, _path, queue in acted.tasks:
        tasks[queue.partition(".")[2]].append(task)
    for step in sorted(REVIEWERS.keys() & tasks):
        _bring_above(_values(step, len(tasks[step])) | {"again": True, "only": tasks[step]})


def look_for_undecidable() -> int:
    """`find_undecidable`, once an hour: what arrives, is recused or loses its reviewers is not stuck in silence.

    Then what somebody took on in the very moment in which his post or his account went is given back, each person's
    in a transaction of its own, so that no case stays locked for long.
    """
    done = deadlines.once_a_day(f"undecidable {moment().machine:%H}", lambda on: find_undecidable())
    if done:
        return_what_is_not_theirs()
    return done


@on_act("escalate_overdue")
def tell_of_overdue(acted: Acted) -> None:
    """逾期: the office above is told how much is overdue where."""
    _tell_above("escalated_overdue", acted)


@on_act("escalate_undecidable")
def tell_of_undecidable(acted: Acted) -> None:
    """无人可办: the office above is told, and the administrators, who can propose a deputy (代理)."""
    _tell_above("escalated_undecidable", acted)
    _tell_above("escalated_undecidable", acted, MANAGES, "posts")


def _tell_above(event: str, acted: Acted, permission: str = OVERSEES, about: str = "queue") -> None:
    counts = Counter(path for _task, _case, path, _queue in acted.tasks)
    names = dict(Organisation.objects.filter(path__in=counts).values_list("path", "name"))
    people = holders(permission, counts)
    told = []
    for path, count in counts.items():
        cause = f"{min(task for task, _, where, _ in acted.tasks if where == path)}"
        told.append((people[path], 0, cause, {"name": names.get(path, ""), "count": count}))
    send_all(event, about, told)
