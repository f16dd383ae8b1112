"""Valid people, offices, programmes and applications for tests. Division 130499: nobody real is meant.

school = SchoolFactory(parent=TownshipFactory())
officer = officer_of(school)                        # a user with the post of aid officer
application = ApplicationFactory(school=school)     # with its case, a draft
application = at_step("county_review", school=school)
"""

from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import factory
from django.db import transaction

from approvals.applications.actions.creating import AT_TOWNSHIPS
from approvals.applications.models import Application
from approvals.disbursement.funds.actions import record_allotment
from approvals.disbursement.models import Allotment, SplitRule
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Kind, Organisation, Post, SchoolForm, User
from approvals.people.crypto import blind_index
from approvals.people.models import Household, Sex, Student
from approvals.programmes.definition import Definition, digest_of
from approvals.programmes.models import Programme, ProgrammeVersion, Rate, Window
from approvals.programmes.terms import Term
from workflows import CaseSpec, decide, open_cases
from workflows.actors import SYSTEM, LiteralActor
from workflows.facts import add_noticed
from workflows.flows.aid import NOTICES, REVIEWERS
from workflows.models import Case, TrainingClock
from workflows.queries import open_item_of
from workflows.versions import route_named

FIRST_DAY = date(2026, 9, 7)
"""A Monday in the autumn window: the demo's first day."""
TERM = "2026-2027-1"
PASSWORD = "zhuxue-2026"


def set_training_date(day: date = FIRST_DAY) -> TrainingClock:
    """Makes this a demo database on that day."""
    clock, _ = TrainingClock.objects.update_or_create(only=True, defaults={"date": day})
    return clock


# ---------------------------------------------------------------- identity


def id_number(born: date, order: int) -> str:
    """A citizen ID of division 130499 that no real person has; an odd `order` is a boy's."""
    stem = f"130499{born:%Y%m%d}{order % 1000:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return stem + "10X98765432"[sum(weight * int(digit) for weight, digit in zip(weights, stem, strict=True)) % 11]


def account_number(order: int) -> str:
    """A bank card of the invented 621999 range, with its Luhn digit."""
    stem = f"621999{order:012d}"
    digits = [int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(stem))]
    return stem + str(-sum(digit // 10 + digit % 10 for digit in digits) % 10)


# ---------------------------------------------------------------- the tree of offices


class OrganisationFactory(factory.django.DjangoModelFactory):
    """A node of the tree below `parent`; without one it is a root."""

    class Meta:
        model = Organisation

    valid_from = date(2000, 1, 1)
    contact = "王老师"
    contact_phone = "0310-0000000"
    contact_place = "一楼值班室"

    @classmethod
    def _create(
        cls, model_class: type[Organisation], *args: Any, parent: Organisation | None = None, **fields: Any
    ) -> Any:
        fields = {name: value for name, value in fields.items() if value is not None}
        node = model_class(**fields)
        return (
            model_class.objects.add_child(parent, instance=node)
            if parent
            else model_class.objects.add_root(instance=node)
        )


class CountyFactory(OrganisationFactory):
    """鸡泽县; one county a database, the first call makes it and later ones find it."""

    kind = Kind.COUNTY
    code = "130431"
    name = "鸡泽县学生资助管理中心"

    @classmethod
    def _create(cls, model_class: type[Organisation], *args: Any, **fields: Any) -> Any:
        known = model_class.objects.filter(kind=Kind.COUNTY, code=fields["code"]).first()
        return known or super()._create(model_class, *args, **fields)


class TownshipFactory(OrganisationFactory):
    """A township under the county."""

    parent = factory.SubFactory(CountyFactory)
    kind = Kind.TOWNSHIP
    code = factory.Sequence(lambda n: f"130431{100 + n % 900:03d}")
    name = factory.Sequence(lambda n: f"示例{n}镇")


class SchoolFactory(OrganisationFactory):
    """A central school under a township of its own, unless `parent` says where."""

    parent = factory.SubFactory(TownshipFactory)
    kind = Kind.SCHOOL
    code = factory.Sequence(lambda n: f"21139{n:05d}")
    name = factory.Sequence(lambda n: f"鸡泽县示例{n}小学")
    form = SchoolForm.CENTRAL
    stages = ["primary"]
    boarding = True


class CountySchoolFactory(SchoolFactory):
    """A school right under the county: no township reviews its cases."""

    parent = factory.SubFactory(CountyFactory)
    name = factory.Sequence(lambda n: f"鸡泽县示例{n}中学")
    form = SchoolForm.COUNTY_DIRECT
    stages = ["senior"]


# ---------------------------------------------------------------- who works there


class UserFactory(factory.django.DjangoModelFactory):
    """A person with an account and no post; the password is PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    name = factory.Sequence(lambda n: f"测试员{n}")
    password = factory.django.Password(PASSWORD)


class PostFactory(factory.django.DjangoModelFactory):
    """A user's role at an organisation, open-ended."""

    class Meta:
        model = Post

    user = factory.SubFactory(UserFactory)
    organisation = factory.SubFactory(SchoolFactory)
    role = "aid_officer"
    starts_on = date(2020, 1, 1)


def person(role: str, organisation: Organisation, **user: Any) -> User:
    """A user who holds this role at this organisation."""
    return PostFactory(user=UserFactory(**user), organisation=organisation, role=role).user


def officer_of(school: Organisation) -> User:
    """The school's aid officer."""
    return person("aid_officer", school)


def head_of(school: Organisation) -> User:
    """The school's head."""
    return person("school_head", school)


def acting(user: User) -> UserActor:
    """The engine's view of a user."""
    return UserActor(user)


# ---------------------------------------------------------------- programmes


def definition(**changes: Any) -> dict[str, Any]:
    """A programme's definition as the database keeps it: boarders at primary school, 625.00 a term, every step."""
    notice = {"days": 5, "columns": ["序号", "学校", "班级", "姓名", "资助项目"]}
    data: dict[str, Any] = {
        "code": "living_subsidy_boarder",
        "name": "家庭经济困难寄宿生生活补助",
        "name_en": "Living subsidy for boarders",
        "group": "living_subsidy",
        "group_name": "义务教育生活补助",
        "group_name_en": "Living subsidy",
        "project": "义教生活补助",
        "about": {"zh": "补助寄宿生的生活费。", "en": "Helps boarders with their living costs."},
        "order": 10,
        "flow": "aid",
        "stages": ["primary"],
        "steps": [
            "school_notice", "township_review", "data_check", "pending_approval", "county_notice", "payment",
            "disbursement",
        ],
        "limits": {"school_review": 10, "township_review": 5, "county_review": 10},
        "notices": {
            "school_notice": notice | {"mask_names": False},
            "county_notice": notice | {"mask_names": True},
        },
        "disbursement": "bank_transfer",
        "needs": ["account", "amount"],
        "rates": [{"first_term": "2025-2026-1", "amount": "625.00", "source": "冀财教〔2025〕1号(示例)"}],
    }  # fmt: skip
    return Definition.model_validate(data | changes).model_dump(mode="json")


def every_notice(**changes: Any) -> dict[str, Any]:
    """Changes of a definition whose cases stand on all four public lists: of class, school, township and county."""
    columns = ["序号", "学校", "年级", "班级", "姓名", "资助项目"]
    rules = {
        step: {"days": 5, "columns": columns, "mask_names": step in ("township_notice", "county_notice")}
        for step in NOTICES
    }
    return {
        "code": "living_subsidy_noticed",
        "group": "living_subsidy_noticed",
        "flow": "aid_2027",
        "steps": [
            "class_review", "class_notice", "school_notice", "township_review", "township_notice", "data_check",
            "pending_approval", "county_notice", "payment", "disbursement",
        ],
        "notices": rules,
    } | changes  # fmt: skip


class VersionFactory(factory.django.DjangoModelFactory):
    """A programme's version with its rates, and a window open whatever the day; `changes` go into the definition."""

    class Meta:
        model = ProgrammeVersion

    number = 1

    @classmethod
    def _create(
        cls, model_class: type[ProgrammeVersion], *args: Any, number: int = 1, changes: dict[str, Any] | None = None
    ) -> Any:
        data = definition(**(changes or {}))
        programme, _ = Programme.objects.get_or_create(
            code=data["code"],
            defaults={key: data[key] for key in ("name", "name_en", "group", "order")},
        )
        Window.objects.get_or_create(
            programme=programme,
            term=TERM,
            defaults={"opens_on": date(2000, 1, 1), "closes_on": date(2099, 12, 31)},
        )
        version, made = model_class.objects.get_or_create(
            programme=programme, number=number, defaults={"definition": data, "digest": digest_of(data)}
        )
        if made:
            Rate.objects.bulk_create(
                Rate(version=version, **rate | {"amount": Decimal(rate["amount"])}) for rate in data["rates"]
            )
        return version


# ---------------------------------------------------------------- money to pay them from


def funded(
    county: Organisation, programme: Programme, amount: str = "1000000.00", shares: dict[str, str] | None = None
) -> list[Allotment]:
    """A split of the programme (central and county halves) and as much of each source; whoever pays needs both."""
    shares = shares or {"central": "50.00", "county": "50.00"}
    SplitRule.objects.get_or_create(
        programme=programme, valid_from=date(2000, 1, 1), defaults={"shares": shares, "basis": "示例"}
    )
    return [allotted(county, source, amount) for source in shares]


def allotted(
    county: Organisation, source: str, amount: str, programmes: tuple[str, ...] = (), dated: date = FIRST_DAY
) -> Allotment:
    """Money of a source that an office may spend, recorded by a treasury officer."""
    by = acting(person("treasury_officer", county))
    number = Allotment.objects.count() + 1
    return record_allotment(
        county.path,
        by,
        source=source,
        budget_year=dated.year,
        document=f"财教〔{dated.year}〕{number}号(示例)",
        dated=dated,
        amount=Decimal(amount),
        programmes=list(programmes),
    )


# ---------------------------------------------------------------- pupils and their applications


class HouseholdFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Household

    number = factory.Sequence(lambda n: f"H{n:06d}")
    village = "示例村"
    size = 4


class StudentFactory(factory.django.DjangoModelFactory):
    """A pupil of ten with a valid ID number of nobody."""

    class Meta:
        model = Student

    class Params:
        order = factory.Sequence(lambda n: n)

    school = factory.SubFactory(SchoolFactory)
    household = factory.SubFactory(HouseholdFactory)
    name = factory.LazyAttribute(lambda pupil: f"王小{'禾田苗雨云山石林竹梅'[pupil.order % 10]}")
    birth_date = factory.LazyAttribute(
        lambda pupil: date(2016, 1 + pupil.order // 999 % 12, 1 + pupil.order // 12000 % 28)
    )
    id_number = factory.LazyAttribute(lambda pupil: id_number(pupil.birth_date, 1 + pupil.order % 999))
    id_hash = factory.LazyAttribute(lambda pupil: blind_index(pupil.id_number))
    id_tail = factory.LazyAttribute(lambda pupil: pupil.id_number[-4:])
    enrolment_no = factory.LazyAttribute(lambda pupil: f"G{pupil.id_number}")
    sex = factory.LazyAttribute(lambda pupil: Sex.MALE if int(pupil.id_number[16]) % 2 else Sex.FEMALE)
    grade = "五年级"
    class_name = "1班"
    stage = factory.LazyAttribute(lambda pupil: pupil.school.stages[0])
    boarder = True


class ApplicationFactory(factory.django.DjangoModelFactory):
    """A pupil's application, complete and not yet submitted, with its case."""

    class Meta:
        model = Application

    class Params:
        order = factory.Sequence(lambda n: n)

    school = factory.SubFactory(SchoolFactory)
    student = factory.SubFactory(StudentFactory, school=factory.SelfAttribute("..school"))
    version = factory.SubFactory(VersionFactory)
    term = TERM
    grade = factory.SelfAttribute("student.grade")
    class_name = factory.SelfAttribute("student.class_name")
    stage = factory.SelfAttribute("student.stage")
    boarder = factory.SelfAttribute("student.boarder")
    guardian_name = "王大山"
    guardian_phone = "13800000000"
    bank = "鸡泽县农村信用联社"
    account_no = factory.LazyAttribute(lambda application: account_number(application.order))
    account_hash = factory.LazyAttribute(lambda application: blind_index(application.account_no))
    account_tail = factory.LazyAttribute(lambda application: application.account_no[-4:])
    holder_name = factory.SelfAttribute("student.name")
    commitment_on = FIRST_DAY
    consent_on = FIRST_DAY

    @classmethod
    def _create(
        cls, model_class: type[Application], *args: Any, missing: tuple[str, ...] = (), by: Any = SYSTEM, **fields: Any
    ) -> Any:
        version, school = fields["version"], fields["school"]
        fields.setdefault("rate", version.rates.order_by("first_term").first())
        fields.setdefault("amount", fields["rate"].amount if fields["rate"] else None)
        below = _below_township(school)
        steps = [step for step in version.definition["steps"] if step not in AT_TOWNSHIPS or below]
        with transaction.atomic():
            [case] = open_cases(
                route_named(version.rules.flow),
                [
                    CaseSpec(
                        path=school.path,
                        programme=version.programme_id,
                        programme_version=version.number,
                        term=fields["term"],
                        steps=steps,
                        limits=version.definition["limits"],
                        missing=missing,
                        title=fields["student"].name,
                    )
                ],
                by,
            )
            return model_class.objects.create(
                case_id=case,
                path=school.path,
                programme=version.programme_id,
                group=version.programme.group,
                school_year=Term.of(fields["term"]).school_year,
                **fields,
            )


def _below_township(school: Organisation) -> bool:
    parent = Organisation.objects.get_parent(school)
    return parent is not None and parent.kind == Kind.TOWNSHIP


# ---------------------------------------------------------------- moving a case along its route

ONWARD = {
    "draft": "submit", "correction": "resubmit", **dict.fromkeys(NOTICES, "conclude"),
    "data_check": "clear", "payment": "disburse", "disbursement": "pay", **dict.fromkeys(REVIEWERS, "approve"),
}  # fmt: skip


@cache
def stand_in(permission: str) -> LiteralActor:
    """Somebody who holds one permission everywhere, a different person for each."""
    return LiteralActor(permission, f"某人({permission})", {permission: [""]})


def at_step(step: str, **application: Any) -> Application:
    """An application whose case has been taken along its route until it stands at `step`."""
    return walk_to(step, ApplicationFactory(**application))


def walk_to(step: str, application: Application) -> Application:
    """Decides the case onward by stand-ins and the system until it stands at `step`."""
    for _ in route_named("aid_2027").instance.nodes():
        here = open_item_of(application.case_id)
        assert here is not None, f"the case ended before {step}"
        name = here.flow_task.name
        if name == step:
            application.case = Case.objects.get(pk=application.case_id)
            return application
        if name.endswith("_notice"):
            add_noticed([application.case_id], name)
        permission = here.flow_task.permission
        by = SYSTEM if permission == "system" else stand_in(permission)
        [result] = decide([here.pk], ONWARD[name], by)
        assert result.ok, result.message
    raise AssertionError(f"the route does not lead to {step}")
