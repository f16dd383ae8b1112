"""Whatever happens to an application, in whatever order: what always holds (DOMAIN.md §3.1).

People decide, take cases on, sign, step aside, lose their posts; rooms find facts out; every act of the engine on both
versions of the route. What each may do is told here once more, in plain Python, and what became of it is read from
the rows alone.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.cases import SCHOOL_PATH, STEPS, WHY, opened
from workflows import Reason, decide, panels
from workflows.actors import SYSTEM, Actor, LiteralActor
from workflows.acts import (
    Act,
    AddSigners,
    Claim,
    Comment,
    CopyTo,
    Release,
    RemoveSigner,
    Resume,
    StepAside,
    Suspend,
    TakeOver,
    Transfer,
    Unsign,
    Unwatch,
    Urge,
    Watch,
    claim_next,
    end_freeze,
    open_item,
    perform,
    recuse,
    recuse_from_offices,
    set_freeze,
)
from workflows.clock import moment
from workflows.facts import add_noticed, set_facts
from workflows.flows.aid import REVIEWERS, AidFlow
from workflows.flows.aid_2027 import AidFlow2027
from workflows.models import ActingLevel, Case, Follower, Freeze, Link, Record, Recusal, Signer, WorkItem
from workflows.nodes import Review, Step
from workflows.states import ENDED
from workflows.vacancies import renew_stale

# ---------------------------------------------------------------- who acts

ENDED_POSTS: set[str] = set()
"""Keys of those who hold no post any more."""


class Colleague(LiteralActor):
    """Somebody who holds posts everywhere until they end."""

    def permits(self, permission: str, paths: Iterable[str]) -> dict[str, str]:
        return {} if self.key in ENDED_POSTS else super().permits(permission, paths)


EVERYWHERE = [
    *("submit_application", "withdraw_application", "cancel_application", "view_case", "urge_case"),
    *("suspend_case", "set_freeze"),
    *REVIEWERS.values(),
]


def colleague(key: str, *more: str) -> Colleague:
    return Colleague(key, key.upper(), {name: [""] for name in (*EVERYWHERE, *more)})


PEOPLE = [colleague(key, "sit") for key in "abcd"] + [colleague(key) for key in "efghij"]
PEOPLE.append(colleague("k", "act_in_freeze"))
GUEST = Colleague("z", "Z", {"view_case": [""]})
ANYBODY = [*PEOPLE, GUEST]
OUTCOMES = sorted({name for flow in (AidFlow, AidFlow2027) for node in flow.instance.nodes() for name in node.outcomes})
MOST_WANTED = ["approve", "approve", "approve", "return", "return", "take_back", "take_back"]
CHECKED = Reason("verified", "已逐人核实，情况属实无误")
REASONS: dict[str, Reason] = WHY | {"approve": CHECKED}
BECAUSE = Reason("other", "情况有变，另行说明，见附件")
ACTS: dict[str, Callable[[Any], Act]] = {
    "claim": lambda other: Claim(),
    "release": lambda other: Release(),
    "take_over": lambda other: TakeOver(),
    "transfer": lambda other: Transfer(other),
    "add_signer": lambda other: AddSigners([other]),
    "remove_signer": lambda other: RemoveSigner(other),
    "unsign": lambda other: Unsign(),
    "suspend": lambda other: Suspend(),
    "resume": lambda other: Resume(),
    "step_aside": lambda other: StepAside(),
    "comment": lambda other: Comment(),
    "copy_to": lambda other: CopyTo([other]),
    "watch": lambda other: Watch(),
    "unwatch": lambda other: Unwatch(),
    "urge": lambda other: Urge(),
}
JUDGING = {"claim", "take_over", "transfer", "add_signer", "remove_signer"}
TIDYING = {"vacate", "seat"}
"""Lines of the system's own beside an act's: a panel was kept to those who may sign."""
ALONGSIDE = {*TIDYING, "skip", "accept"}
REASONED = {"take_over", "transfer", "add_signer", "remove_signer", "step_aside", "suspend", "resume", "comment"}


def _sit(permission: str, paths: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    seats = [(by.key, by.name) for by in PEOPLE if by.permits(permission, [""])]
    return dict.fromkeys(paths, seats)


def _hold(permission: str, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    holding = {by.key for by in ANYBODY if by.permits(permission, [""])}
    return {(path, person) for path, person in pairs if person in holding}


# ---------------------------------------------------------------- what the rows say


class Rows:
    """Everything that is kept about some cases, read at once."""

    def __init__(self, cases: list[int]) -> None:
        self.cases = {row["id"]: row for row in Case.objects.filter(pk__in=cases).values()}
        self.items: dict[int, list[dict[str, Any]]] = {case: [] for case in cases}
        for row in WorkItem.objects.filter(process_id__in=cases).order_by("id").values():
            self.items[row["process_id"]].append(row)
        self.case_of = {item["id"]: case for case, items in self.items.items() for item in items}
        self.signers: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in Signer.objects.filter(item_id__in=self.case_of).order_by("id").values():
            self.signers[row["item_id"]].append(row)
        self.lines: dict[int, list[dict[str, Any]]] = {case: [] for case in cases}
        for row in Record.objects.filter(about="case", about_id__in=cases).order_by("id").values():
            self.lines[row["about_id"]].append(row)
        self.levels = dict[tuple[int, str], str]()
        for case, person, level in ActingLevel.objects.filter(case_id__in=cases).values_list(
            "case_id", "person", "level"
        ):
            self.levels[case, person] = level
        self.recusals = list(Recusal.objects.filter(ended_at=None).order_by("id").values())
        self.followers = list(Follower.objects.filter(case_id__in=cases).order_by("id").values())
        self.links = set(
            Link.objects.filter(from_workitem_id__in=self.case_of).values_list("from_workitem_id", "to_workitem_id")
        )

    def open(self, case: int) -> dict[str, Any] | None:
        return next((item for item in self.items[case] if item["finished"] is None), None)

    def last(self, case: int) -> dict[str, Any]:
        return self.items[case][-1]

    def live(self, item: int) -> list[dict[str, Any]]:
        return [seat for seat in self.signers[item] if seat["ended_at"] is None]

    def recused(self, case: int, person: str, level: str) -> bool:
        return any(
            row["person"] == person
            and (row["case_id"] == case or (row["case_id"] is None and SCHOOL_PATH.startswith(row["path"])))
            and (not row["levels"] or level in row["levels"])
            for row in self.recusals
        )

    def of(self, case: int) -> tuple[Any, ...]:
        """Everything of one case but its lines and seats."""
        items = [{name: value for name, value in item.items() if name != "panel"} for item in self.items[case]]
        spent = {who: level for (of, who), level in self.levels.items() if of == case}
        recusals = [row for row in self.recusals if row["case_id"] == case]
        return self.cases[case], items, spent, recusals, [row for row in self.followers if row["case_id"] == case]

    def seats(self, case: int) -> list[Any]:
        """The seats of a case, and how each item is decided."""
        return [(item["panel"], self.signers[item["id"]]) for item in self.items[case]]


def level_at(item: dict[str, Any], outcome: str) -> str:
    step = item["flow_task"]
    return step.outcomes[outcome].level if isinstance(step, Step) and outcome in step.outcomes else ""


specs = st.fixed_dictionaries(
    {
        "flow": st.sampled_from([AidFlow, AidFlow2027]),
        "by": st.sampled_from([SYSTEM, SYSTEM, PEOPLE[-2]]),
        "steps": st.sets(st.sampled_from([*STEPS, "class_review"])).map(sorted),
        "returns": st.sampled_from(["straight", "all"]),
        "limits": st.sampled_from([{}, {"school_review": 5, "county_review": 3}]),
        "panels": st.dictionaries(
            st.sampled_from(["class_review", "school_review", "county_review", "pending_approval"]),
            st.one_of(
                st.fixed_dictionaries({"mode": st.sampled_from(["all", "any"]), "of": st.just("sit")}),
                st.fixed_dictionaries(
                    {
                        "mode": st.just("share"),
                        "of": st.sampled_from(["sit", ""]),
                        "share": st.sampled_from([50, 67, 100]),
                        "quorum": st.sampled_from([0, 3]),
                    }
                ),
            ),
            max_size=2,
        ),
    }
)
numbers = st.integers(0, 2)
somebody = st.sampled_from(ANYBODY)


class Applications(RuleBasedStateMachine):
    """A few cases on both routes; colleagues, a guest and the system; facts, posts and freezes that come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.registered = list(panels._members), list(panels._holding)
        panels.seated_by(_sit)
        panels.kept_by(_hold)
        ENDED_POSTS.clear()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.cases: list[int] = []
        self.freeze: Freeze | None = None
        self.suspended: dict[int, tuple[Any, ...]] = {}
        self.known: dict[int, list[dict[str, Any]]] = {}
        self.now = Rows([])

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        panels._members[:], panels._holding[:] = self.registered
        ENDED_POSTS.clear()

    @initialize(wanted=st.lists(specs, min_size=2, max_size=3))
    def open(self, wanted: list[dict[str, Any]]) -> None:
        for spec in wanted:
            spec = {name: value for name, value in spec.items() if value is not None}
            self.cases += opened(path=SCHOOL_PATH, **spec)
        self.now = Rows(self.cases)

    def case(self, number: int) -> int:
        return self.cases[number % len(self.cases)]

    # ------------------------------------------------------------ deciding

    @rule(
        outcome=st.sampled_from([*OUTCOMES, *MOST_WANTED]),
        by=st.sampled_from([*ANYBODY, SYSTEM]),
        chosen=st.sets(numbers, min_size=1),
        reasoned=st.sampled_from([True, True, True, False]),
        to=st.sampled_from(["", "", "school_review", "class_review", "township_review"]),
    )
    def decide(self, outcome: str, by: Actor, chosen: set[int], reasoned: bool, to: str) -> None:
        cases = sorted({self.case(number) for number in chosen})
        self.decided(cases, outcome, by, REASONS.get(outcome) if reasoned else None, to)

    def decided(self, cases: list[int], outcome: str, by: Actor, reason: Reason | None, to: str = "") -> bool:
        """Decides the last tasks of cases, and compares all that became of it with all that there was."""
        before = self.now
        items = [before.last(case)["id"] for case in cases]
        results = decide(items, outcome, by, reason=reason, data={"to": to} if to else None)
        after = self.now = Rows(self.cases)
        assert [result.task_id for result in results] == items
        for case, item, result in zip(cases, items, results, strict=True):
            fresh = after.lines[case][len(before.lines[case]) :]
            acts = [line["act"] for line in fresh if line["act"] not in TIDYING]
            if not result.ok:
                assert acts == [], "a refusal writes nothing"
                self.unchanged(case, before, after, seats=not fresh)
                continue
            self.lawful(case, outcome, by, before)
            [mine] = [
                line for line in fresh if line["actor"] == by.key and line["act"] not in (*TIDYING, "skip", "accept")
            ]
            assert (mine["item"], mine["actor_name"]) == (item, by.name)
            if result.code == "signed":
                assert acts == ["sign"]
                assert before.open(case) == after.open(case) | {"panel": before.last(case)["panel"]}
                assert after.cases[case] == before.cases[case]
            else:
                assert mine["act"] in (outcome, "pass_back")
                [done] = [each for each in after.items[case] if each["id"] == item]
                assert (done["outcome"], done["decided_by"]) == (outcome, by.key)
                self.rightly_settled(case, item, outcome, by, before, after)
        for case in set(self.cases) - set(cases):
            self.unchanged(case, before, after)
            assert before.lines[case] == after.lines[case]
        return any(result.code == "ok" for result in results)

    def unchanged(self, case: int, before: Rows, after: Rows, seats: bool = True) -> None:
        assert before.of(case) == after.of(case), "nothing else has moved"
        assert not seats or before.seats(case) == after.seats(case)

    def lawful(self, case: int, outcome: str, by: Actor, before: Rows) -> None:
        """Whoever was let through might: nothing barred him or everybody."""
        item, row = before.last(case), before.cases[case]
        assert item["finished"] is None
        assert row["suspended_on"] is None, "a suspended case is decided by nobody"
        if not by.key:
            return
        level = level_at(item, outcome)
        assert by.key not in ENDED_POSTS, "without a post nobody decides"
        assert self.freeze is None or by.permits("act_in_freeze", [SCHOOL_PATH])
        seat = next((each for each in before.live(item["id"]) if each["person"] == by.key), None)
        if level:
            assert not before.recused(case, by.key, level)
            assert before.levels.get((case, by.key), level) == level
            asked = seat is not None and seat["part"] != "base"
            was_short = item["panel"] not in ("", "added")
            assert item["holder"] in ("", by.key) or asked or was_short
        if outcome == "take_back":
            mine = [line for line in before.lines[case] if line["actor"] == by.key and line["state_to"]]
            assert self.now.cases[case]["state"] == mine[-1]["state_from"]

    def rightly_settled(self, case: int, item: int, outcome: str, by: Actor, before: Rows, after: Rows) -> None:
        """A step that several sign went on only when those who might sign had signed as its panel asks."""
        [was] = [each for each in before.items[case] if each["id"] == item]
        step = was["flow_task"]
        if not was["panel"] or not isinstance(step, Review) or outcome not in ("approve", "return", "reject"):
            return
        live = after.live(item)
        assert not {seat["person"] for seat in live} & ENDED_POSTS, "nobody is counted who may no longer sign"
        assert not [seat for seat in live if before.recused(case, seat["person"], step.level)]
        [mine] = [seat for seat in live if seat["person"] == by.key] if live else [None]
        panel = [seat for seat in live if seat["part"] == "panel"]
        ayes = sum(seat["vote"] == "approve" for seat in panel)
        if was["panel"] != "added":
            assert panel, "an empty panel passes nothing"
        if outcome != "approve":
            if was["panel"] == "share":
                nays = sum(seat["vote"] not in ("", "approve") for seat in panel)
                assert (len(panel) - nays) * 100 < was["share"] * len(panel)
            assert mine is None or mine["part"] != "added"
            return
        assert all(seat["vote"] == "approve" for seat in live if seat["part"] == "added")
        assert len(panel) >= was["quorum"]
        if was["panel"] == "all":
            assert ayes == len(panel)
        elif was["panel"] == "share":
            assert ayes * 100 >= was["share"] * len(panel)
        else:
            assert any(seat["vote"] == "approve" for seat in live if seat["part"] != "added") or not live

    @rule(number=numbers, first=st.integers(0, len(PEOPLE) - 1), times=st.integers(1, 4))
    def onward(self, number: int, first: int, times: int) -> None:
        """Whoever is free takes the case along its main line, so that walks reach the far end too."""
        case = self.case(number)
        for _ in range(times):
            item = self.now.open(case)
            if item is None:
                return
            step = item["flow_task"]
            if step.name in ("school_notice", "county_notice"):
                add_noticed([case], step.name)
            if step.permission == "system":
                self.now = Rows(self.cases)
                people: list[Actor] = [SYSTEM]
            else:
                people = [*PEOPLE[first:], *PEOPLE[:first], GUEST]
            if not any(
                self.decided([case], step.onward, by, CHECKED if step.name == "recheck" else None) for by in people
            ):
                return

    # ------------------------------------------------------------ acts

    @rule(
        act=st.sampled_from([*ACTS, "add_signer", "claim", "unsign", "remove_signer"]),
        by=somebody,
        other=somebody,
        chosen=st.sets(numbers, min_size=1),
        reasoned=st.sampled_from([True, True, True, False]),
    )
    def perform(self, act: str, by: Actor, other: Actor, chosen: set[int], reasoned: bool) -> None:
        before = self.now
        cases = sorted({self.case(number) for number in chosen})
        items = [before.last(case)["id"] for case in cases]
        words = Reason("comment", "已电话核实") if act == "comment" else BECAUSE
        results = perform(ACTS[act](other), items, by, words if reasoned and act in REASONED else None)
        after = self.now = Rows(self.cases)
        for case, item, result in zip(cases, items, results, strict=True):
            fresh = after.lines[case][len(before.lines[case]) :]
            acts = [line for line in fresh if line["act"] not in TIDYING]
            if not result.ok:
                assert acts == []
                self.unchanged(case, before, after, seats=not fresh)
                continue
            [line] = acts
            assert (line["act"], line["actor"], line["item"]) == (act, by.key, item)
            assert by.key not in ENDED_POSTS
            assert (before.cases[case]["state"], before.last(case)["id"]) == (
                after.cases[case]["state"], after.last(case)["id"],
            ), "an act moves nothing"  # fmt: skip
            if act in JUDGING:
                level = before.last(case)["flow_task"].level
                assert not before.recused(case, by.key, level)
                assert self.freeze is None or by.permits("act_in_freeze", [SCHOOL_PATH])
                assert before.cases[case]["suspended_on"] is None
            self.did(act, case, by, other, after)
        for case in set(self.cases) - set(cases):
            self.unchanged(case, before, after)

    def takes_reason(self, act: str) -> bool:
        return act in {
            "take_over",
            "transfer",
            "add_signer",
            "remove_signer",
            "step_aside",
            "suspend",
            "resume",
            "comment",
        }

    def did(self, act: str, case: int, by: Actor, other: Actor, after: Rows) -> None:
        """What an act that was done has done."""
        item = after.last(case)
        seats = {seat["person"]: seat for seat in after.live(item["id"])}
        if act in ("claim", "take_over"):
            assert item["holder"] == by.key
        elif act == "transfer":
            assert item["holder"] == other.key
        elif act == "release":
            assert item["holder"] == ""
        elif act == "add_signer":
            assert seats[other.key]["part"] == "added"
        elif act == "remove_signer":
            assert other.key not in seats
        elif act == "unsign":
            assert by.key not in seats or seats[by.key]["vote"] == ""
        elif act == "step_aside":
            assert by.key not in seats
            assert item["holder"] != by.key

    @rule(by=somebody)
    def next_one(self, by: Actor) -> None:
        """下一件, out of all of them."""
        waiting = [item["id"] for case in self.cases if (item := self.now.open(case))]
        result = claim_next(waiting, by)
        self.now = Rows(self.cases)
        if result is not None:
            item = self.now.last(self.now.case_of[result.task_id])
            assert (item["id"], item["holder"]) == (result.task_id, by.key)

    @rule(number=numbers, by=somebody)
    def look_at(self, number: int, by: Actor) -> None:
        """Somebody opens the case: a submission is then no longer taken back."""
        if item := self.now.open(self.case(number)):
            open_item(item["id"], by, moment())
            self.now = Rows(self.cases)

    # ------------------------------------------------------------ what is found out meanwhile

    @rule(number=numbers, hits=st.integers(0, 2))
    def match(self, number: int, hits: int) -> None:
        set_facts([self.case(number)], open_hits=hits)
        self.now = Rows(self.cases)

    @rule(number=numbers, missing=st.sampled_from([[], [], ["account"]]))
    def supply(self, number: int, missing: list[str]) -> None:
        set_facts([self.case(number)], missing=missing)
        self.now = Rows(self.cases)

    @rule(number=numbers, step=st.sampled_from(["school_notice", "county_notice"]))
    def conclude_notice(self, number: int, step: str) -> None:
        add_noticed([self.case(number)], step)
        self.now = Rows(self.cases)

    @rule(number=numbers, who=somebody, levels=st.sampled_from([[], ["school"], ["county", "leader"]]))
    def find_kin(self, number: int, who: Actor, levels: list[str]) -> None:
        case, before = self.case(number), self.now
        found = recuse([(case, who.key)], "declared", SYSTEM, levels)
        self.now = Rows(self.cases)
        assert len(self.now.lines[case]) - len(before.lines[case]) == found

    @precondition(lambda self: len(self.now.recusals) < 4)
    @rule(who=somebody, levels=st.sampled_from([["school"], ["county", "leader"]]))
    def bar_from_office(self, who: Actor, levels: list[str]) -> None:
        recuse_from_offices([(SCHOOL_PATH, who.key)], "declared", SYSTEM, levels)
        self.now = Rows(self.cases)

    @precondition(lambda self: self.freeze is None)
    @rule(open_to=st.sampled_from(["", "act_in_freeze"]))
    def freeze_office(self, open_to: str) -> None:
        by = next((by for by in PEOPLE if by.key not in ENDED_POSTS), None)
        if by is None:
            return
        self.freeze = set_freeze("0001", date(2000, 1, 1), date(2100, 1, 1), "年终决算期间暂停审核", by, open_to)

    @precondition(lambda self: self.freeze is not None)
    @rule()
    def thaw_office(self) -> None:
        by = next((by for by in PEOPLE if by.key not in ENDED_POSTS), None)
        if by is not None:
            end_freeze(self.freeze.pk, by)
            self.freeze = None

    @precondition(lambda self: len(ENDED_POSTS) < 5)
    @rule(who=somebody, swept=st.booleans())
    def post_ends(self, who: Actor, swept: bool) -> None:
        ENDED_POSTS.add(who.key)
        if swept:
            renew_stale(who.key)
        self.now = Rows(self.cases)

    @precondition(lambda self: ENDED_POSTS)
    @rule(which=st.integers(0, 10))
    def post_is_given_again(self, which: int) -> None:
        ENDED_POSTS.discard(sorted(ENDED_POSTS)[which % len(ENDED_POSTS)])

    @rule()
    def sweep(self) -> None:
        """Once an hour: nobody without a post is waited for, and no panel is short that could be full."""
        before = self.now
        renew_stale()
        after = self.now = Rows(self.cases)
        for case in self.cases:
            item = after.open(case)
            for seat in after.live(item["id"]) if item else ():
                assert seat["vote"] or seat["person"] not in ENDED_POSTS
            fresh = [line["act"] for line in after.lines[case][len(before.lines[case]) :]]
            assert set(fresh) <= TIDYING
            self.unchanged(case, before, after, seats=not fresh)

    # ------------------------------------------------------------ what always holds

    @invariant()
    def one_open_task_where_the_state_says_or_it_has_ended(self) -> None:
        for case, row in self.now.cases.items():
            waiting = [item for item in self.now.items[case] if item["finished"] is None]
            if row["state"] in ENDED:
                assert waiting == []
                assert row["finished"] is not None
                assert row["status"] == "DONE"
            else:
                [item] = waiting
                step = item["flow_task"]
                assert isinstance(step, Step)
                assert step.flow_class == row["flow_class"], "a case ends on the route on which it began"
                assert step.state == row["state"]
                assert step.passes(row["steps"])
                assert item["queue"] == f"aid.{step.name}"
                assert (item["path"], item["round"], item["status"]) == (row["path"], row["round"], "NEW")
                assert (row["finished"], row["status"]) == (None, "NEW")

    @invariant()
    def nobody_acts_at_two_levels_of_a_case(self) -> None:
        acted = defaultdict(set)
        for case, items in self.now.items.items():
            for item in items:
                if item["decided_by"] and (level := level_at(item, item["outcome"])):
                    acted[case, item["decided_by"]].add(level)
                for seat in self.now.signers[item["id"]]:
                    if seat["vote"]:
                        acted[case, seat["person"]].add(level_at(item, seat["vote"]))
        for key, levels in acted.items():
            assert levels == {self.now.levels[key]}, (key, levels)

    @invariant()
    def every_change_of_state_has_its_line(self) -> None:
        for case, lines in self.now.lines.items():
            moves = [line for line in lines if line["state_to"]]
            assert moves[0]["state_from"] == ""
            for earlier, later in itertools.pairwise(moves):
                assert earlier["state_to"] == later["state_from"]
            assert moves[-1]["state_to"] == self.now.cases[case]["state"]
            decided = [line["item"] for line in moves if line["act"] not in ("open", "skip", "accept")]
            done = [item["id"] for item in self.now.items[case] if item["finished"] and item["outcome"]]
            assert decided == done, "each finished task was decided once, by the line that says so"

    @invariant()
    def every_other_change_has_its_line(self) -> None:
        for case, lines in self.now.lines.items():
            self.holder_is_as_the_lines_say(case, lines)
            paused = [line["act"] for line in lines if line["act"] in ("suspend", "resume")]
            assert (self.now.cases[case]["suspended_on"] is not None) == (paused[-1:] == ["suspend"])
            said = {(line["actor"], line["data"].get("vote") or line["act"]) for line in lines}
            named = {
                (line["act"], name) for line in lines for name in line["data"].get("to", ()) if line["act"] in ACTS
            }
            for seat in (seat for item in self.now.items[case] for seat in self.now.signers[item["id"]]):
                if seat["vote"]:
                    assert {(seat["person"], seat["vote"]), (seat["person"], "pass_back")} & said
                if seat["part"] == "added":
                    assert ("add_signer", seat["name"]) in named
            for row in (row for row in self.now.followers if row["case_id"] == case):
                told = (row["person"], "watch") in said or ("copy_to", row["name"]) in named
                assert told
            if any(row["case_id"] == case for row in self.now.recusals):
                assert {"step_aside", "recuse"} & {line["act"] for line in lines}

    def holder_is_as_the_lines_say(self, case: int, lines: list[dict[str, Any]]) -> None:
        item = self.now.open(case)
        holder, freed = "", False
        for line in lines:
            if item is None or line["item"] != item["id"]:
                continue
            if line["act"] in ("claim", "take_over"):
                holder, freed = line["actor_name"], False
            elif line["act"] == "transfer":
                [holder], freed = line["data"]["to"], False
            elif line["act"] == "release" or (line["act"] == "step_aside" and line["actor_name"] == holder):
                holder = ""
        freed = any(row["person"] == holder.lower() for row in self.now.recusals)
        if item is not None:
            assert item["holder_name"] == holder or (freed and item["holder_name"] == "")

    @invariant()
    def only_open_tasks_are_held(self) -> None:
        for items in self.now.items.values():
            for item in items:
                assert item["finished"] is None or item["holder"] == item["holder_name"] == ""
                assert bool(item["holder"]) == bool(item["holder_name"])

    @invariant()
    def seats_belong_to_their_task(self) -> None:
        for case in self.cases:
            item = self.now.open(case)
            if item is None:
                continue
            live, step = self.now.live(item["id"]), item["flow_task"]
            assert len({seat["person"] for seat in live}) == len(live)
            wanted = self.now.cases[case]["panels"].get(step.name)
            if item["panel"] in ("", "added"):
                assert wanted is None
                assert bool(live) == (item["panel"] == "added")
                assert {seat["part"] for seat in live} <= {"added", "base"}
            else:
                assert isinstance(step, Review)
                assert (item["panel"], item["share"], item["quorum"]) == (
                    wanted["mode"], wanted.get("share", 0), wanted.get("quorum", 0),
                )  # fmt: skip
                assert {seat["part"] for seat in live} <= {"added", "panel"}
            for seat in live:
                assert not self.now.recused(case, seat["person"], step.level)
                assert self.now.levels.get((case, seat["person"]), step.level) == step.level

    @invariant()
    def nobody_waits_in_vain_for_a_signature(self) -> None:
        """While all who sit may sign, somebody is still asked: no step stands with every signature given."""
        for case in self.cases:
            item = self.now.open(case)
            live = self.now.live(item["id"]) if item else []
            if item is None or item["panel"] in ("", "added") or not live or {s["person"] for s in live} & ENDED_POSTS:
                continue
            panel = [seat for seat in live if seat["part"] == "panel"]
            assert not panel or any(seat["vote"] == "" for seat in live)

    @invariant()
    def a_suspended_case_moves_nowhere(self) -> None:
        for case, row in self.now.cases.items():
            if row["suspended_on"] is None:
                self.suspended.pop(case, None)
                continue
            stands = (row["state"], row["round"], row["resume"], self.now.last(case)["id"])
            assert self.suspended.setdefault(case, stands) == stands

    @invariant()
    def history_only_grows(self) -> None:
        for case, lines in self.now.lines.items():
            known = self.known.get(case, [])
            assert lines[: len(known)] == known
            self.known[case] = lines

    @invariant()
    def nothing_is_paid_without_its_notices(self) -> None:
        for row in self.now.cases.values():
            if row["state"] in ("disbursing", "completed"):
                assert {step for step in row["steps"] if step.endswith("_notice")} <= set(row["noticed"])

    @invariant()
    def links_form_one_line_from_the_draft(self) -> None:
        wanted = {
            (later["id"], earlier["id"])
            for items in self.now.items.values()
            for earlier, later in itertools.pairwise(items)
        }
        assert self.now.links == wanted

    @invariant()
    def what_is_remembered_of_the_way_back_is_a_step(self) -> None:
        for row in self.now.cases.values():
            if row["resume"]:
                back = row["flow_class"].instance.node(row["resume"], no_obsolete=True)
                assert isinstance(back, Review)
                assert back.passes(row["steps"])


@pytest.mark.django_db
def test_what_always_holds_of_applications() -> None:
    run_state_machine_as_test(
        Applications,
        settings=settings(max_examples=25, stateful_step_count=40, suppress_health_check=list(HealthCheck)),
    )
    assert not connection.needs_rollback
