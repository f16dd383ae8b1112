"""Everybody decides on the same cases at once: nothing is decided twice, and nothing that was answered is lost.

In CI fifteen hundred attempts; the drill makes a hundred thousand.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.cases import opened
from tests.drills.racing import AT_A_TIME
from workflows.actors import SYSTEM
from workflows.flows.aid_2027 import AidFlow2027
from workflows.models import ActingLevel, Case, KeyedDecision, Link, Record, Signer, WorkItem
from workflows.states import ENDED

ROOT = Path(__file__).resolve().parents[2]
PANELS: dict[str, Any] = {
    "school_review": {"mode": "any", "of": "sit"},
    "county_review": {"mode": "share", "of": "sit", "share": 50},
}


def raced(attempts: int, processes: int, threads: int, cases: list[int]) -> tuple[list[dict[str, Any]], float]:
    """What each process was told, and how long all of them took, their start left out as far as may be."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "project.settings"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.drills.racing", connection.settings_dict["NAME"]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment,
        )
        for _ in range(processes)
    ]  # fmt: skip
    begun = time.monotonic()
    for number, worker in enumerate(workers):
        asked = {"cases": cases, "attempts": attempts // processes, "threads": threads, "seed": 1000 * number}
        assert worker.stdin
        worker.stdin.write(json.dumps(asked) + "\n")
        worker.stdin.flush()
    told = [worker.communicate()[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * processes
    return [json.loads(each) for each in told], time.monotonic() - begun


def race(attempts: int, processes: int, threads: int) -> None:
    many = 4 * AT_A_TIME + attempts // 50
    steps = ["township_review", "data_check", "pending_approval"]
    cases = [
        *opened(many // 2, by=SYSTEM, steps=steps),
        *opened(many // 4, by=SYSTEM, steps=steps, panels=PANELS, returns="all"),
        *opened(many // 4, AidFlow2027, SYSTEM, steps=["class_review", *steps]),
    ]
    cases = [case for turn in range(many // 4) for case in cases[turn :: many // 4]]
    told, seconds = raced(attempts, processes, threads, cases)
    assert [each["failed"] for each in told] == [[]] * processes
    codes = sum((Counter(each["codes"]) for each in told), Counter[str]())
    acts = sum((Counter(each["acts"]) for each in told), Counter[str]())
    print(f"\n{codes.total()} attempts in {seconds:.0f} s by {processes * threads}: {codes.most_common()}")
    print(f"acts besides: {acts.most_common()}")
    assert codes.total() >= attempts
    assert codes["ok"] > attempts / 20
    assert codes["closed"] > attempts / 50
    decided = [tuple(each) for answer in told for each in answer["decided"]]
    nothing_twice_and_nothing_lost(cases, decided)
    each_case_is_one_story(cases)


def nothing_twice_and_nothing_lost(cases: list[int], decided: list[tuple[Any, ...]]) -> None:
    """Every answer `ok` has its one finished task and its one line; every finished task its answer."""
    moved = {item: (outcome, person) for item, outcome, person, code in decided if code == "ok"}
    assert len(moved) == sum(code == "ok" for *_, code in decided), "nothing was decided twice"
    done = WorkItem.objects.filter(process_id__in=cases, finished__isnull=False).exclude(outcome="")
    assert {item: (outcome, by) for item, outcome, by in done.values_list("pk", "outcome", "decided_by")} == moved
    lines = Counter[int]()
    for item, act, actor in (
        Record.objects.filter(about="case", about_id__in=cases, item__in=moved, state_to__gt="")
        .exclude(act__in=["open", "skip", "accept"])
        .values_list("item", "act", "actor")
    ):
        outcome, person = moved[item]
        assert (act, actor) == (outcome, person) or (act, outcome, actor) == ("pass_back", "approve", person)
        lines[item] += 1
    assert lines == dict.fromkeys(moved, 1), "each has its line, and one"
    signed = Counter((item, person) for item, _outcome, person, code in decided if code == "signed")
    said = Record.objects.filter(about="case", about_id__in=cases, act="sign").values_list("item", "actor")
    assert Counter(said) == signed
    votes = set(Signer.objects.exclude(vote="").values_list("item_id", "person"))
    assert set(signed) <= votes


def each_case_is_one_story(cases: list[int]) -> None:
    """States, tasks and links of each case follow one another; nobody acted at two levels."""
    items: dict[int, list[WorkItem]] = defaultdict(list)
    for item in WorkItem.objects.filter(process_id__in=cases).order_by("pk"):
        items[item.process_id].append(item)
    links = set(Link.objects.values_list("from_workitem_id", "to_workitem_id"))
    assert links == {(later.pk, earlier.pk) for line in items.values() for earlier, later in pairwise(line)}
    states: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for case, *hop in (
        Record.objects.filter(about="case", state_to__gt="")
        .order_by("pk")
        .values_list("about_id", "state_from", "state_to")
    ):
        states[case].append(tuple(hop))
    levels = {(case, who): level for case, who, level in ActingLevel.objects.values_list("case_id", "person", "level")}
    for case in Case.objects.filter(pk__in=cases):
        hops = states[case.pk]
        assert all(earlier[1] == later[0] for earlier, later in pairwise(hops)), (case.pk, hops)
        assert hops[-1][1] == case.state
        waiting = [item for item in items[case.pk] if item.finished is None]
        assert len(waiting) == (case.state not in ENDED)
        assert all(item.flow_task.state == case.state for item in waiting)
        for item in items[case.pk]:
            level = item.flow_task.outcomes[item.outcome].level if item.outcome in item.flow_task.outcomes else ""
            assert not (level and item.decided_by) or levels[case.pk, item.decided_by] == level
    assert all(keyed.results for keyed in KeyedDecision.objects.all())


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_fifteen_hundred_attempts_decide_nothing_twice() -> None:
    race(1_500, processes=2, threads=3)


@pytest.mark.drill
@pytest.mark.django_db(transaction=True)
def test_a_hundred_thousand_attempts_decide_nothing_twice_and_lose_nothing() -> None:
    race(100_000, processes=4, threads=3)
