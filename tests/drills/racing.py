"""One process of the race drill: threads that decide, and do other acts, on cases that other processes decide too.

    echo '{"cases": […], "attempts": 5000, "threads": 4, "seed": 1}' | python -m tests.drills.racing DATABASE

Prints one JSON object: how often each answer was given, and every task that was decided or signed, with by whom.
"""

import json
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

import django

RARE = {"reject", "withdraw", "cancel"}
"""Outcomes that end a case: chosen now and then only, or there would soon be nothing to decide."""
AT_A_TIME = 12
"""Cases that all are deciding on at the same time; they go on to the next ones together."""
PEOPLE, SEATS = 300, 4


def people() -> list[Any]:
    """Those who hold every post; some sit on panels."""
    from workflows.actors import LiteralActor
    from workflows.flows.aid import REVIEWERS

    posts = ["submit_application", "withdraw_application", "cancel_application", "view_case", "suspend_case"]
    return [
        LiteralActor(
            f"p{n}", f"P{n}", {name: [""] for name in (*posts, *REVIEWERS.values(), *(["sit"] if n < 4 else []))}
        )
        for n in range(PEOPLE)
    ]


def members(permission: str, paths: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Who sits on every panel."""
    seats = [(f"p{n}", f"P{n}") for n in range(SEATS)]
    return dict.fromkeys(paths, seats)


class Attempts:
    """What this process tries, and what it is told."""

    def __init__(self, cases: list[int], attempts: int) -> None:
        self.cases, self.attempts = cases, attempts
        self.tried = self.asked = 0
        self.codes: Counter[str] = Counter()
        self.acts: Counter[str] = Counter()
        self.decided: list[tuple[int, str, str, str]] = []
        self.failed: list[str] = []
        self.lock = threading.Lock()
        self.everybody = people()

    def run(self, seed: int) -> None:
        from django.db import connection

        chance = random.Random(seed)
        try:
            while self.left():
                steps = self.last_tasks(self.near())
                for _ in range(3):
                    chosen = chance.sample(list(steps), min(len(steps), chance.choice([1, 1, 2, 4, 6])))
                    if chance.random() < 0.15:
                        self.act(chance, chosen)
                    else:
                        self.decide(chance, chosen, self.outcome(chance, steps[chosen[0]]))
        except Exception as error:
            self.failed.append(repr(error))
        finally:
            connection.close()

    def left(self) -> bool:
        with self.lock:
            return self.asked < self.attempts and not self.failed

    def near(self) -> list[int]:
        """The cases that all are at, by how much of the work is done."""
        first = (len(self.cases) - AT_A_TIME) * min(self.asked, self.attempts) // self.attempts
        return self.cases[first : first + AT_A_TIME]

    def last_tasks(self, cases: list[int]) -> dict[int, Any]:
        """The last task of each of these cases, and its step."""
        from workflows.models import WorkItem

        rows = WorkItem.objects.filter(process_id__in=cases).order_by("process_id", "-id").distinct("process_id")
        return dict(rows.values_list("id", "flow_task"))

    def outcome(self, chance: random.Random, step: Any) -> str:
        offered = [name for name in getattr(step, "outcomes", ()) if name not in RARE or chance.random() < 0.02]
        more = [step.onward] * 3 if offered else ["approve"]
        return "take_back" if chance.random() < 0.06 else chance.choice([*offered, *more])

    def decide(self, chance: random.Random, items: list[int], outcome: str) -> None:
        from tests.cases import CHECKED, WHY
        from workflows import decide
        from workflows.actors import SYSTEM

        everybody = self.everybody[:SEATS] if chance.random() < 0.15 else self.everybody
        by = SYSTEM if outcome in ("clear", "hit", "conclude") else chance.choice(everybody)
        why = CHECKED if outcome == "approve" else WHY.get(outcome)
        results = decide(items, outcome, by, reason=why, key=f"{chance.random()}" if chance.random() < 0.1 else None)
        with self.lock:
            self.asked += len(results)
            self.codes.update(result.code for result in results)
            self.decided += [(result.task_id, outcome, by.key, result.code) for result in results if result.ok]

    def act(self, chance: random.Random, items: list[int]) -> None:
        from workflows import Reason
        from workflows.acts import AddSigners, Claim, Release, Resume, StepAside, Suspend, TakeOver, Transfer, perform

        by, other = chance.choice(self.everybody), chance.choice(self.everybody)
        plain = [Claim, Release, Release, TakeOver, StepAside, Suspend, Resume, Resume]
        act = chance.choice([*plain, lambda: Transfer(other), lambda: AddSigners([other])])()
        why = Reason("other", "情况有变，另行说明，见附件")
        results = perform(act, items, by, why if act.reason_required else None)
        with self.lock:
            self.acts.update(f"{act.name} {'ok' if result.ok else 'refused'}" for result in results)


def main() -> None:
    django.setup()
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    from workflows import events, guards, panels

    events._listeners.clear()
    events._act_listeners.clear()
    guards._guards.clear()
    panels.seated_by(members)
    panels._holding.clear()
    asked = json.loads(sys.stdin.readline())
    attempts = Attempts(asked["cases"], asked["attempts"])
    threads = [threading.Thread(target=attempts.run, args=(asked["seed"] + n,)) for n in range(asked["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(
        json.dumps(
            {
                "codes": attempts.codes,
                "acts": attempts.acts,
                "decided": attempts.decided,
                "failed": attempts.failed,
            }
        )
    )


if __name__ == "__main__":
    main()
