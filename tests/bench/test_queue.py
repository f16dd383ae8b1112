"""The review queue with 100,000 open tasks: first page, for the whole county, a township and a school."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.organisations.models import User
from tests.approvals.review.scene import signed_in
from tests.bench import crowd
from tests.bench.results import note
from tests.factories import person, set_training_date

TASKS = 100_000
TIMES = 7


def first_page(user: User) -> tuple[int, float]:
    """Statements and milliseconds of SQL of the first page; the least of several, to tell it from what else runs."""
    client = signed_in(user)
    client.get("/queue/")
    statements, milliseconds = [], []
    for _ in range(TIMES):
        with CaptureQueriesContext(connection) as captured:
            page = client.get("/queue/")
        assert len(page.context["rows"]) == 50
        assert page.context["page"].capped
        statements.append(len(captured))
        milliseconds.append(sum(float(query["time"]) for query in captured.captured_queries) * 1000)
    return max(statements), min(milliseconds)


@pytest.mark.bench
@pytest.mark.django_db(transaction=True)
def test_the_first_page_of_a_long_queue_is_quick_for_everybody() -> None:
    set_training_date()
    place = crowd.county()
    under_townships = place.schools[: crowd.TOWNSHIPS * crowd.SCHOOLS_EACH]
    readers = {
        "county_review": person("county_reviewer", place.county),
        "township_review": person("township_reviewer", place.townships[0]),
        "school_review": person("school_head", place.schools[0]),
    }
    measured = {}
    for step, reader in readers.items():
        crowd.wait(place, step, TASKS, under_townships if step == "township_review" else None)
        measured[step] = first_page(reader)
    print(measured)
    note(
        queue_100k_statements=max(statements for statements, _ in measured.values()),
        queue_100k_sql_ms=round(max(milliseconds for _, milliseconds in measured.values()), 1),
    )
    assert max(statements for statements, _ in measured.values()) <= 10
    assert max(milliseconds for _, milliseconds in measured.values()) <= 15
