"""The offices, people and cases on which the permission matrix is tried out.

Three offices hold posts: a school, its township, the county. For each of them there is, in every state that a case can
stand in, a case of the office itself, of one below it, of one above it and of one elsewhere, and a case within its
reach that the person prepared.
"""

from dataclasses import dataclass
from uuid import uuid4

from approvals.notices.models import Notice, NoticeLine, Objection
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.organisations.permissions_file import ABOVE, BELOW, ELSEWHERE, OWN, OWN_CASE
from approvals.organisations.roles import matrix
from tests.cases import WHY
from tests.factories import (
    TERM,
    CountyFactory,
    SchoolFactory,
    TownshipFactory,
    VersionFactory,
    person,
    set_training_date,
)
from workflows import CaseSpec, Reason, decide, open_cases
from workflows.actors import SYSTEM, Actor, LiteralActor
from workflows.flows.aid import NOTICES, REVIEWERS
from workflows.flows.aid_2027 import AidFlow2027
from workflows.models import ActingLevel, Case, WorkItem

STEPS = (
    "class_review", "school_notice", "township_review", "data_check", "pending_approval", "county_notice", "payment",
    "disbursement",
)  # fmt: skip
SELDOM = ("class_notice", "township_notice")
"""Steps that only the cases pass which are to stand there, so that the reviews after them still follow a person's."""
ONWARD = {
    "draft": "submit", "class_review": "approve", "class_notice": "conclude", "school_review": "approve",
    "school_notice": "conclude", "township_review": "approve", "township_notice": "conclude",
    "county_review": "approve", "data_check": "clear", "pending_approval": "approve", "county_notice": "conclude",
    "approved": "disburse", "disbursing": "pay",
}  # fmt: skip
"""The outcome that leads on from each state of the main line, in order."""
ASIDE = {
    "returned": ("school_review", "return", "review_school"),
    "recheck": ("data_check", "hit", "review_county"),
    "rejected": ("county_review", "reject", "review_county"),
    "withdrawn": ("school_review", "withdraw", "withdraw_application"),
    "cancelled": ("school_review", "cancel", "cancel_application"),
}
"""The other states: from which of the main line, by which outcome, and the permission of the last decision."""
LAST = {
    "class_review": "submit_application", "class_notice": "review_class", "school_review": "review_class",
    "school_notice": "review_school", "township_notice": "review_township",
    "county_review": "review_township", "data_check": "review_county", "pending_approval": "review_county",
    "county_notice": "approve_county", "returned": "review_school", "recheck": "review_county",
}  # fmt: skip
"""The permission with which the last decision was made in each state; the others were reached by the system."""
STATES = (*ONWARD, "completed", *ASIDE)
"""Every state that a case can stand in; submitted is passed through."""


@dataclass(frozen=True, slots=True)
class World:
    """Cases by state and office path, and the offices from which posts are held."""

    offices: dict[str, Organisation]
    """By kind: school, township, county."""
    places: dict[str, dict[str, str]]
    """By kind of office and relation, the path of what stands so to it."""
    cases: dict[tuple[str, str], int]
    items: dict[int, int]
    """The last task of each case; open unless the case has ended."""
    people: dict[str, UserActor]
    """By role, somebody who holds it where it can be held, and no other."""

    def case(self, role: str, state: str, relation: str) -> int:
        """The case in a state that stands so to the office of a role."""
        [kind] = matrix().at[role]
        return self.cases[state, self.places[kind][relation]]


def build() -> World:
    """Makes all of it, the cases of one state in a handful of statements."""
    set_training_date()
    county = CountyFactory()
    township = TownshipFactory(parent=county)
    school = SchoolFactory(parent=township)
    branch = SchoolFactory(parent=school)
    elsewhere = SchoolFactory(parent=TownshipFactory(parent=county))
    abroad = elsewhere.path.replace(county.path, "0ZZZ", 1)
    mine = f"{school.path}#"  # the school's too, told apart from its other case
    places = {
        "school": {OWN: school, BELOW: branch, ABOVE: township, ELSEWHERE: elsewhere},
        "township": {OWN: township, BELOW: school, ABOVE: county, ELSEWHERE: elsewhere},
        "county": {OWN: county, BELOW: school},
    }
    paths = {kind: {name: office.path for name, office in by.items()} for kind, by in places.items()}
    paths["county"] |= {ABOVE: county.path[:-1], ELSEWHERE: abroad}
    for by in paths.values():
        by[OWN_CASE] = mine
    wanted = sorted({path for by in paths.values() for path in by.values()})
    cases: dict[tuple[str, str], int] = {}
    for state in STATES:
        cases |= {(state, path): case for path, case in zip(wanted, _in_state(state, wanted), strict=True)}
    items = dict(WorkItem.objects.order_by("id").values_list("process_id", "id"))
    offices = {"school": school, "township": township, "county": county}
    people = {role: UserActor(person(role, offices[kind])) for role, (kind,) in matrix().at.items()}
    return World(offices, paths, cases, items, people)


def _in_state(state: str, paths: list[str]) -> list[int]:
    """A case in a state for each path."""
    steps = (*STEPS, state) if state in SELDOM else STEPS
    specs = [CaseSpec(path=path.removesuffix("#"), steps=steps) for path in paths]
    cases = open_cases(AidFlow2027, specs, SYSTEM)
    Case.objects.filter(pk__in=cases).update(noticed=list(NOTICES))
    goal, outcome, _permission = ASIDE.get(state, (state, "", ""))
    for here, onward in ONWARD.items():
        if here == goal:
            break
        if here in SELDOM:
            continue
        _decide(cases, onward)
        Case.objects.filter(pk__in=cases).update(noticed=list(NOTICES))
    if outcome:
        _decide(cases, outcome)
    standing = set(Case.objects.filter(pk__in=cases).values_list("state", flat=True))
    assert standing == {state}
    return cases


def _decide(cases: list[int], outcome: str) -> None:
    [state] = set(Case.objects.filter(pk__in=cases).values_list("state", flat=True))
    items = list(WorkItem.objects.filter(process__in=cases, finished=None).order_by("id").values_list("id", flat=True))
    needed = next(iter(matrix().acts[f"case.{outcome}"].needed(state)))
    by: Actor = SYSTEM if needed == "system" else LiteralActor(f"{state}-{needed}", "某人", {needed: [""]})
    refused = [result for result in decide(items, outcome, by, WHY.get(outcome)) if not result.ok]
    assert not refused, (state, outcome, refused[0])


# ---------------------------------------------------------------- standing so


def prepared_by(cases: list[int], by: UserActor) -> None:
    """Makes these cases ones that the person entered and submitted."""
    ActingLevel.objects.filter(case__in=cases).delete()
    ActingLevel.objects.bulk_create([ActingLevel(case_id=case, person=by.key, level="submit") for case in cases])


def decided_by(items: list[int], by: UserActor) -> None:
    """Makes the person the one who made the last decision on each of these cases."""
    cases = list(WorkItem.objects.filter(pk__in=items).values_list("process_id", flat=True))
    done = WorkItem.objects.filter(process__in=cases, finished__isnull=False).exclude(decided_by="")
    last = dict(done.order_by("id").values_list("process_id", "id"))
    WorkItem.objects.filter(pk__in=last.values()).update(decided_by=by.key)


def looked_into_by(world: World, by: UserActor) -> None:
    """Somebody objects to each case that is on notice, and the person was named to look into it."""
    programme, school = VersionFactory().programme, world.offices["school"]
    for step in NOTICES:
        cases = [case for (state, _path), case in world.cases.items() if state == step]
        notice = Notice.objects.create(
            step=step, organisation=school, path=school.path, programme=programme, term=TERM, subject="补助",
            title="公示", columns=["姓名"], days=5, drafted_by=by.user, drafted_person=uuid4(), public_id=step,
        )  # fmt: skip
        lines = NoticeLine.objects.bulk_create(
            NoticeLine(notice=notice, case_id=case, number=number, step=step, state="objected")
            for number, case in enumerate(cases, 1)
        )
        Objection.objects.bulk_create(
            Objection(
                state="investigating", notice=notice, line=line, number=line.number, path=school.path, ground="other",
                statement="不属实", named=False, receipt_hash=f"{step} {line.number}".encode(), limits={},
                received_at="2026-09-07T08:00+08:00", investigator=by.user, investigator_person=by.user.person,
            )
            for line in lines
        )  # fmt: skip


REASONS = {
    "return": WHY["return"], "reject": WHY["reject"], "cancel": WHY["cancel"], "adjust": WHY["adjust"],
    "withdraw": Reason("applicant_withdraws", "家长来校说明情况，自愿撤回申请"),
    "approve": Reason("verified", "已逐人核实，情况属实无误"),
    "uphold": Reason("objection_upheld", "经入户核实，异议所述属实"),
    "amend": Reason("objection_adjusted", "经入户核实，等级需重新认定"),
}  # fmt: skip
COLLEAGUE = LiteralActor("c0" * 16, "同事", {name: [""] for name in (*REVIEWERS.values(), "view_case")})
