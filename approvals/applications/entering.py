"""The desk at which one application is filled in: for whom, for what, with which forms, new or already kept."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.translation import get_language

from approvals.applications import actions, queries
from approvals.applications.actions import Entry
from approvals.applications.forms import ApplicationForm, EvidenceForm, IdentityForm
from approvals.applications.missing import sentence as missing_sentence
from approvals.applications.models import Application, Evidence
from approvals.applications.parts import PARTS
from approvals.applications.queries import Target
from approvals.applications.statements import COMMITMENT, CONSENT, Statement, in_force
from approvals.organisations.access import number
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.organisations.stages import STAGES
from approvals.people.identity import normalise_name
from approvals.people.models import Guardian, Student
from approvals.programmes import queries as programmes
from approvals.programmes.evidence import EVIDENCE
from approvals.programmes.models import Rate
from approvals.programmes.terms import Term
from workflows.models import Record
from workflows.queries import open_item_of


def target_name(target: Target) -> str:
    """A programme with its term, in the present language."""
    return f"{target.version.rules.display_name(get_language())} · {Term.of(target.term).name()}"


class Desk:
    """One application being filled in. `bind` gives it what was sent, `save` writes it through the actions."""

    form: ApplicationForm
    identity_form: IdentityForm | None = None
    evidence_form: EvidenceForm | None = None

    def __init__(
        self,
        target: Target,
        school: Organisation,
        student: Student | None,
        today: date,
        application: Application | None = None,
    ) -> None:
        self.target = target
        self.school = school
        self.student = student
        self.today = today
        self.application = application

    # -------- what the page shows

    @property
    def title(self) -> str:
        return target_name(self.target)

    @property
    def stages(self) -> list[str]:
        """The stages that the pupil may be in."""
        if self.application is not None:
            return [self.application.stage]
        if self.student is not None:
            return [self.student.stage]
        return [stage for stage in self.target.version.rules.stages if stage in self.school.stages]

    @property
    def amounts(self) -> list[tuple[str, Rate]]:
        """What the programme gives a term, by stage, where it has no tiers to choose from."""
        if self.target.version.rules.tiers:
            return []
        found = []
        for stage in self.stages:
            rate = programmes.rate_for(self.target.version, self.target.term, stage)
            if rate is not None:
                found.append((str(STAGES.get(stage, stage)), rate))
        return found

    @property
    def returned(self) -> bool:
        return self.application is not None and self.application.case.state == "returned"

    @property
    def lacking(self) -> list[tuple[str, str]]:
        """What is still missing before submitting: its sentence, and the id of the field where it is entered."""
        missing = self.application.case.missing if self.application is not None else []
        return [(missing_sentence(code), self.form.place_of(code)) for code in missing]

    @cached_property
    def return_reason(self) -> Record | None:
        """Why the application was returned."""
        return queries.last_return(self.application.pk) if self.application is not None and self.returned else None

    @property
    def parts_to_correct(self) -> list[str]:
        """What the reviewer who returned it asked to have corrected."""
        asked = self.return_reason.data.get("fields", []) if self.return_reason else []
        return [str(dict(PARTS).get(part, part)) for part in asked]

    @property
    def wanted_by(self) -> date | None:
        """The day by which the correction is wanted."""
        item = open_item_of(self.application.pk) if self.application is not None and self.returned else None
        return item.due_on if item else None

    @property
    def family_open(self) -> bool:
        """Whether the family's circumstances are shown unfolded: something stands there, or is wrong there."""
        kept = self.application is not None and bool(self.application.circumstances)
        return kept or (self.form.is_bound and not self.form.family_is_right())

    @property
    def papers(self) -> list[tuple[Evidence, str]]:
        """The papers attached, each with the name of its kind."""
        if self.application is None:
            return []
        return [(paper, str(EVIDENCE.get(paper.kind, paper.kind))) for paper in queries.papers_of(self.application.pk)]

    @property
    def commitment(self) -> Statement:
        return in_force(COMMITMENT, self.today)

    @property
    def consent(self) -> Statement:
        return in_force(CONSENT, self.today)

    @property
    def other_application(self) -> int | None:
        """The application that the pupil already has in this group and year."""
        if self.student is None or self.application is not None:
            return None
        year = Term.of(self.target.term).school_year
        return queries.live_application(self.student, self.target.version.programme.group, year)

    # -------- filling in

    def bind(self, data: QueryDict | None) -> None:
        """Makes the forms, filled with what was sent, if anything was."""
        rules = self.target.version.rules
        stage = (self.stages or rules.stages)[0]
        self.form = ApplicationForm(
            data,
            target=self.target,
            pupil_name=self._pupil_name(data),
            today=self.today,
            birth_date=self.student.birth_date if self.student else None,
            tiers=programmes.amounts_for(self.target.version, self.target.term, stage),
            application=self.application,
            guardian=self._guardian,
            initial=self._initial(),
        )
        if self._says_who:
            self.identity_form = IdentityForm(
                data, school=self.school, stages=rules.stages, today=self.today, student=self.student
            )
        if self.application is not None:
            self.evidence_form = EvidenceForm(kinds=rules.evidence)

    @property
    def _says_who(self) -> bool:
        """Whether the school states who the pupil is: new, or entered by it and not verified yet."""
        return self.student is None or (self.application is not None and not self.student.verified)

    def _pupil_name(self, data: QueryDict | None) -> str:
        typed = normalise_name((data or {}).get("pupil_name", "")) if self._says_who else ""
        return typed or (self.student.name if self.student else "")

    def _initial(self) -> dict[str, Any]:
        """What the register knows of a pupil for whom an application is begun."""
        if self.student is None:
            return {}
        return {
            "boarder": "yes" if self.student.boarder else "no",
            "guardian_name": self._guardian.name if self._guardian else "",
            "holder_name": self.student.name,
        }

    @cached_property
    def _guardian(self) -> Guardian | None:
        """The guardian on the register, for an application that is begun."""
        if self.student is None or self.application is not None:
            return None
        return self.student.guardians.order_by("pk").first()

    def is_valid(self) -> bool:
        """Whether what was sent is right; every form is asked, so that all problems show at once."""
        stated = self.form.is_valid()
        return (self.identity_form is None or self.identity_form.is_valid()) and stated

    def save(self, by: UserActor) -> int:
        """Opens or changes the draft; returns its case. Raises Refused."""
        stated = self.form.stated()
        if self.application is not None:
            known = self.identity_form.identity if self.identity_form else None
            actions.change(self.application.pk, stated, by, known)
            return self.application.pk
        return actions.enter(self._entry(), stated, by)

    def _entry(self) -> Entry:
        common = {"version": self.target.version, "term": self.target.term, "school": self.school}
        if self.student is not None:
            return Entry(
                **common, student=self.student, identity=None, stage=self.student.stage, grade=self.student.grade,
                class_name=self.student.class_name,
            )  # fmt: skip
        who = self.identity_form
        if who is None:
            raise ValueError("a pupil who is not on the register says who he is")
        stage, grade = who.cleaned_data["grade"]
        return Entry(
            **common, student=None, identity=who.identity, stage=stage, grade=grade,
            class_name=who.cleaned_data["class_name"],
        )  # fmt: skip


def new_desk(
    query: QueryDict, target: Target, schools: Sequence[Organisation], prefixes: Sequence[str], today: date
) -> Desk | None:
    """The desk for a pupil chosen from the search (`pupil` a key), or a new one (`new`); None when not theirs."""
    chosen = query.get("pupil", "")
    if (pupil := number(chosen)) is not None:
        student = queries.pupil(prefixes, pupil)
        return Desk(target, student.school, student, today) if student else None
    wanted = query.get("school", "")
    school = next((each for each in schools if not wanted or str(each.pk) == wanted), None)
    return Desk(target, school, None, today) if chosen == "new" and school else None


def desk_of(application: Application, today: date) -> Desk:
    """The desk for a draft or a returned application."""
    target = Target(application.version, application.term)
    return Desk(target, application.school, application.student, today, application)
