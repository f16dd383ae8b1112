"""A township with two schools, a second township, a county-direct school, and the people who review."""

import re
from dataclasses import dataclass
from html import unescape

from django.http import HttpResponse
from django.test import Client

from approvals.applications.models import Application
from approvals.organisations.models import Organisation, User
from tests.factories import (
    CountyFactory,
    CountySchoolFactory,
    SchoolFactory,
    TownshipFactory,
    head_of,
    officer_of,
    person,
    set_training_date,
)
from workflows.models import Case, WorkItem


@dataclass
class Scene:
    """Who and where, for tests of reviewing."""

    county: Organisation
    township: Organisation
    school: Organisation
    sister: Organisation
    elsewhere: Organisation
    direct: Organisation
    officer: User
    class_teacher: User
    head: User
    township_reviewer: User
    county_reviewer: User
    second_reviewer: User
    leader: User
    auditor: User
    administrator: User


def scene() -> Scene:
    """Sets it up; the demo's date is its first day."""
    county = CountyFactory()
    township = TownshipFactory(parent=county)
    school = SchoolFactory(parent=township)
    set_training_date()
    return Scene(
        county=county,
        township=township,
        school=school,
        sister=SchoolFactory(parent=township),
        elsewhere=SchoolFactory(parent=TownshipFactory(parent=county)),
        direct=CountySchoolFactory(parent=county, stages=["primary"]),
        officer=officer_of(school),
        class_teacher=person("class_teacher", school),
        head=head_of(school),
        township_reviewer=person("township_reviewer", township),
        county_reviewer=person("county_reviewer", county),
        second_reviewer=person("county_second_reviewer", county),
        leader=person("county_leader", county),
        auditor=person("auditor", county),
        administrator=person("administrator", county),
    )


def signed_in(user: User, **options: object) -> Client:
    """A browser in which this person is signed in."""
    client = Client(**options)  # type: ignore[arg-type]
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def tasks_of(*applications: Application) -> list[str]:
    """The open tasks of these applications, as a form sends them."""
    found = dict(
        WorkItem.objects.filter(process_id__in=[each.pk for each in applications], finished=None).values_list(
            "process_id", "id"
        )
    )
    return [str(found[each.pk]) for each in applications]


def state_of(application: Application) -> str:
    """The state that its case has now."""
    return str(Case.objects.get(pk=application.pk).state)


def text_of(response: HttpResponse) -> str:
    """What a page says, without its tags."""
    content = re.sub(r"<(script|style).*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())
