"""The record: one line for every act, and nobody changes or removes one."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from tests.cases import HEAD, OFFICER, SCHOOL_PATH, act, opened
from workflows import Reason, record
from workflows.clock import CHINA
from workflows.models import Record, TrainingClock
from workflows.queries import timeline

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE workflows_record SET reason_text = 'other words'",
        "UPDATE workflows_record SET id = id WHERE id = 0 OR id > 0",
        "DELETE FROM workflows_record",
        "TRUNCATE workflows_record",
        "TRUNCATE workflows_record CASCADE",
        "INSERT INTO workflows_record SELECT * FROM workflows_record"
        " ON CONFLICT (id) DO UPDATE SET actor_name = 'somebody else'",
    ],
)
def test_the_database_refuses_to_change_or_remove_a_line(statement: str) -> None:
    opened()
    before = list(Record.objects.values())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(Record.objects.values()) == before


def test_the_model_refuses_it_too() -> None:
    opened()
    line = Record.objects.get()
    line.actor_name = "somebody else"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        line.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        line.delete()


def test_acts_that_are_no_decisions_have_their_lines_too() -> None:
    TrainingClock.objects.create(date=date(2026, 9, 7))
    record.write(
        "unmask",
        "case",
        [4, 5],
        HEAD,
        post="school_head@示例小学",
        reason=Reason("audit", "市级审计抽查，核对账户"),
        data={"fields": ["id_number"]},
        path=SCHOOL_PATH,
    )
    first, second = Record.objects.order_by("id")
    assert (first.about_id, second.about_id) == (4, 5)
    assert (first.actor, first.actor_name, first.post, first.act) == (
        "head",
        "李校长",
        "school_head@示例小学",
        "unmask",
    )
    assert (first.reason_code, first.reason_text, first.data) == (
        "audit",
        "市级审计抽查，核对账户",
        {"fields": ["id_number"]},
    )
    assert first.business_at.astimezone(CHINA).date() == date(2026, 9, 7)
    assert list(record.history("case", 5)) == [second]


def test_what_happened_to_a_case_is_told_in_order() -> None:
    one, other = opened(2)
    act(one, "submit", OFFICER)
    act(other, "withdraw", OFFICER, reason=None)
    act(one, "approve", HEAD)
    assert [line.act for line in timeline(one)] == ["open", "submit", "accept", "approve"]
    assert [line.act for line in timeline(other)] == ["open", "withdraw"]


def test_a_line_stays_when_its_case_s_people_and_offices_are_gone() -> None:
    [case] = opened()
    line = Record.objects.get(about_id=case)
    assert not [field for field in Record._meta.get_fields() if field.is_relation]
    assert (line.actor_name, line.path, line.post) == ("王老师", SCHOOL_PATH, "")
