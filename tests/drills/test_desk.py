"""Fifty reviewers at one queue, over real HTTP, before a server of several processes: the next one for me, decided at
random; now and then somebody decides what stands on his queue page, whoever has taken it on.

In CI eight of them for eight seconds; the drill lets fifty work for a minute.
"""

import http.client
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db.models import Q
from django.test import Client

from approvals.organisations.models import User
from tests.bench import crowd
from tests.factories import person, set_training_date
from tests.project.commands import ROOT, address_of, free_port
from workflows.models import KeyedDecision, Link, Record, WorkItem

WORKERS, THREADS = 4, 4
OUTCOMES = ["approve", "approve", "approve", "return", "reject"]
WHY = {
    "approve": {},
    "return": {"reason_code": "evidence_missing", "reason_text": "材料照片模糊，请重新拍照上传"},
    "reject": {"reason_code": "conditions_not_met", "reason_text": "经核查不符合本项目的资助条件"},
}
STEP = "county_review"
BACK = f"step={STEP}"
TOKEN = "csrftokencsrftokencsrftokencsrft"


@contextmanager
def served() -> Iterator[int]:
    """The pages of the test's database behind gunicorn, on this machine only; yields the port."""
    port = free_port()
    environment = os.environ | {"DATABASE_URL": address_of(), "DEMO": "1", "DEBUG": "0", "LOG_LEVEL": "WARNING"}
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--ignore", "viewflow", "--verbosity", "0"]
    subprocess.run(collect, cwd=ROOT, env=environment, check=True)
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "project.wsgi:application", "--bind", f"127.0.0.1:{port}"),
            *("--workers", f"{WORKERS}", "--threads", f"{THREADS}", "--worker-class", "gthread", "--preload"),
            *("--keep-alive", "30", "--log-level", "warning"),
        ],
        cwd=ROOT,
        env=environment,
    )
    try:
        until = time.monotonic() + 120
        while not answers(port):
            assert server.poll() is None, "the server did not start"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.1)
        yield port
    finally:
        server.send_signal(signal.SIGQUIT)  # nobody is served any more
        server.wait(30)


def answers(port: int) -> bool:
    talk = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        talk.request("GET", "/healthz", headers={"Host": "localhost"})
        return talk.getresponse().status == 200
    except OSError:
        return False
    finally:
        talk.close()


@dataclass
class Work:
    """What all reviewers did and were told."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    sent: list[tuple[str, int]] = field(default_factory=list)
    """(who, task) of every decision that was sent and answered."""
    faults: list[str] = field(default_factory=list)


class Reviewer:
    """One person in one browser, signed in once."""

    def __init__(self, user: User, port: int, work: Work, seed: int) -> None:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        cookies = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value, "csrftoken": TOKEN}
        self.headers = {
            "Host": "localhost",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": TOKEN,
        }
        self.who, self.work, self.chance = user.person.hex, work, random.Random(seed)
        self.talk = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, name: str, address: str, form: dict[str, str] | None = None) -> tuple[str, str]:
        """(where it leads, the page); of a form sent, or a page read."""
        begun = time.perf_counter()
        headers = self.headers | ({"Content-Type": "application/x-www-form-urlencoded"} if form else {})
        self.talk.request("POST" if form else "GET", address, urlencode(form) if form else None, headers)
        response = self.talk.getresponse()
        page = response.read().decode()
        self.work.seconds[name].append(time.perf_counter() - begun)
        self.work.statuses[response.status] += 1
        if response.status not in (200, 302):
            self.work.faults.append(f"{name} {address}: {response.status}")
        return response.headers.get("Location", ""), page

    def run(self, until: float) -> None:
        try:
            while time.monotonic() < until:
                self.somebody_s() if self.chance.random() < 0.15 else self.next_one()
        except Exception as error:
            self.work.faults.append(repr(error))
        finally:
            self.talk.close()

    def next_one(self) -> None:
        """下一件: taken on, opened, decided."""
        case, _ = self.ask("next", "/queue/next/", {"back": BACK})
        if not case.startswith("/cases/"):
            return
        _, page = self.ask("case", case)
        outcome = self.chance.choice(OUTCOMES)
        for form in re.findall(r'<form method="post" action="/queue/decide/">(.*?)</form>', page, flags=re.S):
            fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
            if fields.get("outcome") == outcome:
                self.decide({name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}, outcome)

    def somebody_s(self) -> None:
        """A task at the top of the queue, as the page that asks once more sends it: perhaps a colleague's by now."""
        _, page = self.ask("queue", f"/queue/?{BACK}")
        tasks = re.findall(r'name="task" value="(\d+)"', page)
        if not tasks:
            return
        task, outcome = self.chance.choice(tasks[:20]), self.chance.choice(OUTCOMES)
        _, page = self.ask("confirm", "/queue/decide/", {"task": task, "outcome": outcome, "back": BACK})
        found = re.search(r'name="token" value="([^"]+)"', page)
        if found:
            form = {"task": task, "outcome": outcome, "step": STEP, "token": found[1], "confirmed": "yes", "back": BACK}
            self.decide(form, outcome)

    def decide(self, form: dict[str, str], outcome: str) -> None:
        where, _ = self.ask("decide", "/queue/decide/", form | WHY[outcome])
        if where:
            self.work.sent.append((self.who, int(form["task"])))
        else:
            self.work.faults.append(f"a form that was not taken: {form}")


def work_at_one_queue(reviewers: int, seconds: float, tasks: int) -> None:
    set_training_date()
    place = crowd.county()
    crowd.wait(place, STEP, tasks, whole=False)
    first = set(WorkItem.objects.values_list("pk", flat=True))
    people = [person("county_reviewer", place.county) for _ in range(reviewers)]
    work = Work()
    with served() as port:
        desks = [Reviewer(user, port, work, seed) for seed, user in enumerate(people)]
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=desk.run, args=(until,)) for desk in desks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    told(work, reviewers, seconds)
    assert work.faults == []
    assert set(work.statuses) <= {200, 302}
    nothing_twice_and_nothing_lost(work, first)


def told(work: Work, reviewers: int, seconds: float) -> None:
    decided = Record.objects.filter(act__in=set(OUTCOMES)).count()
    print(
        f"\n{reviewers} reviewers, {seconds:.0f} s: {sum(work.statuses.values())} requests {dict(work.statuses)},"
        f" {len(work.sent)} decisions sent, {decided} made; median ms "
        + ", ".join(f"{name} {median(took) * 1000:.0f} ({len(took)})" for name, took in sorted(work.seconds.items()))
    )


def nothing_twice_and_nothing_lost(work: Work, first: set[int]) -> None:
    """Every decision that was answered has its kept answer; each that was made one line, one task done, one ahead."""
    kept: Counter[tuple[str, int]] = Counter()
    made: dict[int, str] = {}
    for who, results in KeyedDecision.objects.values_list("person", "results"):
        for item, code, _values in results:
            kept[who, item] += 1
            if code == "ok":
                assert item not in made, "decided twice"
                made[item] = who
    assert kept == Counter(work.sent), "an answer to each, and no other"
    assert len(made) >= 5
    done = WorkItem.objects.filter(pk__in=first, finished__isnull=False)
    assert dict(done.values_list("pk", "decided_by")) == made
    lines = Record.objects.filter(act__in=set(OUTCOMES)).values_list("item", "actor")
    assert sorted(lines) == sorted(made.items())
    following = Link.objects.filter(to_workitem_id__in=made)
    assert following.count() == len(made)
    assert not WorkItem.objects.filter(~Q(holder=""), finished__isnull=False).exists()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_reviewers_at_one_queue_decide_nothing_twice() -> None:
    work_at_one_queue(8, 8, 600)


@pytest.mark.drill
@pytest.mark.django_db(transaction=True)
def test_fifty_reviewers_at_one_queue_for_a_minute_decide_nothing_twice_and_lose_nothing() -> None:
    work_at_one_queue(50, 60, 10_000)
