"""The sealed record: what is taken in and when, and each way of tampering with it found and named."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import cases
from workflows import Reason, record
from workflows.actors import SYSTEM, LiteralActor
from workflows.background import run_due
from workflows.models import Record, SealedLine, TreeHead
from workflows.seal import heads, sealing
from workflows.seal.heads import opened, public_key
from workflows.seal.leaves import CANONICAL, COLUMNS, canonical
from workflows.seal.merkle import root_of_inclusion
from workflows.seal.sealing import proof_of, seal_now
from workflows.seal.verifying import LATE, verify

pytestmark = pytest.mark.django_db
GUARDED = ("workflows_record", "workflows_sealedline", "workflows_sealtile", "workflows_treehead")


def write(count: int = 1) -> list[int]:
    record.write("note", "test", range(count), SYSTEM, data={"z": 1, "a": "助学"})
    return list(Record.objects.order_by("-id").values_list("id", flat=True)[:count])[::-1]


def tamper(*statements: str) -> None:
    """What somebody does who owns the tables and lifts the guards."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def found(**options: Any) -> list[str]:
    return sorted({finding.code for finding in verify(**options).findings})


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Six hundred lines under several heads."""
    monkeypatch.setattr(sealing, "AT_ONCE", 250)
    lines = write(600)
    while seal_now():
        pass
    assert TreeHead.objects.count() >= 3
    return lines


# ---------------------------------------------------------------- sealing


def test_the_record_as_it_was_sealed_is_proved(sealed: list[int]) -> None:
    report = verify()
    assert report.ok, [finding.message for finding in report.findings]
    assert report.lines == report.leaves == Record.objects.count()
    assert report.heads == TreeHead.objects.count()


def test_each_line_is_proved_against_the_newest_head(sealed: list[int]) -> None:
    for line in (sealed[0], sealed[255], sealed[-1]):
        proof = proof_of(line)
        assert proof
        head = opened(proof.head, public_key())
        leaf = sealing.Salts().leaf(_row(line))
        assert root_of_inclusion(leaf, proof.position, head.size, proof.path) == head.root
    assert proof_of(write()[0]) is None, "not sealed yet"


def _row(line: int) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sealing.COLUMNS} FROM workflows_record r WHERE r.id = %s", [line])
        return cursor.fetchone()


def test_heads_come_twice_a_minute_at_most_and_sooner_for_a_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    write(3)
    run_due("default")
    assert TreeHead.objects.count() == 1
    write(3)
    run_due("default")
    assert TreeHead.objects.count() == 1, "it waits for the next"
    tamper("UPDATE workflows_treehead SET at = at - interval '31 seconds'")
    run_due("default")
    assert TreeHead.objects.count() == 2
    monkeypatch.setattr(sealing, "AT_ONCE", 3)
    write(10)
    run_due("default")
    assert SealedLine.objects.count() == Record.objects.count()


def test_nothing_new_signs_no_head(sealed: list[int]) -> None:
    count = TreeHead.objects.count()
    assert seal_now() == 0
    assert TreeHead.objects.count() == count


def test_a_decision_pays_nothing_for_it(sealed: list[int]) -> None:
    with CaptureQueriesContext(connection) as captured:
        write(5)
    assert not [each for each in captured.captured_queries if "seal" in each["sql"] or "tree" in each["sql"]]


def test_a_decision_touches_no_table_and_no_lock_of_the_sealer() -> None:
    [case] = cases.opened(1)
    with CaptureQueriesContext(connection) as captured:
        assert cases.act(case, "submit", cases.OFFICER).ok
    taken = _locks()
    statements = " ".join(each["sql"] for each in captured.captured_queries)
    assert "workflows_record" in statements
    assert not {table for table in GUARDED[1:] if table in statements}
    assert not {name for _kind, name in taken if "seal" in name or "treehead" in name}
    assert ("advisory", str(sealing.LOCK)) not in taken
    assert ("relation", "workflows_record") in taken, "what is looked at tells locks at all"
    seal_now()
    assert ("advisory", str(sealing.LOCK)) in _locks(), "and the sealer's"


def _locks() -> set[tuple[str, str]]:
    """What this session holds: (kind, relation or number of the advisory lock)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.locktype, coalesce(c.relname, l.objid::text, '') FROM pg_locks l"
            " LEFT JOIN pg_class c ON c.oid = l.relation WHERE l.pid = pg_backend_pid()"
        )
        return set(cursor.fetchall())


@pytest.mark.parametrize("text", ["助学", "𠮷野家", 'a "quoted" \\ line\n\ttab', "\x01\x1f\x7f", "\u2028 < > & '", ""])
def test_postgresql_writes_a_line_as_it_is_sealed(text: str) -> None:
    by = LiteralActor("0" * 32, text[:20] or "x", {})
    record.write("note", "test", [7], by, reason=Reason("other", text), data={"a": [1, None, {"b": text}]}, step=text)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {CANONICAL}, {COLUMNS} FROM workflows_record r ORDER BY r.id DESC LIMIT 1")
        told, *line = cursor.fetchone()
    assert bytes(told) == canonical(line)


@pytest.mark.django_db(transaction=True)
def test_a_line_whose_transaction_took_longer_is_sealed_later() -> None:
    begun, sealed_once, done = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                write()
                begun.set()
                sealed_once.wait(10)
        finally:
            connection.close()
            done.set()

    thread = threading.Thread(target=slow)
    thread.start()
    begun.wait(10)
    [later] = write()
    assert seal_now() >= 1
    sealed_once.set()
    done.wait(10)
    thread.join(10)
    assert SealedLine.objects.filter(line=later).exists()
    assert seal_now() == 1, "the smaller key came after the greater one"
    assert verify().ok


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_seal_each_line_once() -> None:
    write(50)
    start = threading.Barrier(2)

    def work() -> None:
        try:
            start.wait(10)
            seal_now()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert SealedLine.objects.count() == Record.objects.count()
    assert verify().ok


@pytest.mark.parametrize("table", GUARDED)
@pytest.mark.parametrize("act", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_database_refuses_to_change_what_was_sealed(sealed: list[int], table: str, act: str) -> None:
    column = {"workflows_sealedline": "line = line", "workflows_sealtile": "place = place"}.get(table, "at = at")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(act.format(table, column))


# ---------------------------------------------------------------- tampering

TAMPERING: dict[str, tuple[Callable[[list[int]], list[str]], list[str]]] = {
    "a line is changed": (
        lambda lines: [f"UPDATE workflows_record SET reason_text = 'x' WHERE id = {lines[7]}"],
        ["changed"],
    ),
    "its time is moved by a microsecond": (
        lambda lines: [f"UPDATE workflows_record SET at = at + interval '1 microsecond' WHERE id = {lines[7]}"],
        ["changed"],
    ),
    "a line is dropped": (lambda lines: [f"DELETE FROM workflows_record WHERE id = {lines[7]}"], ["missing"]),
    "a line and its leaf are dropped": (
        lambda lines: [
            f"DELETE FROM workflows_record WHERE id = {lines[7]}",
            f"DELETE FROM workflows_sealedline WHERE line = {lines[7]}",
        ],
        ["leaf_missing"],
    ),
    "the last lines are cut off with their leaves": (
        lambda lines: [
            f"DELETE FROM workflows_record WHERE id >= {lines[-9]}",
            f"DELETE FROM workflows_sealedline WHERE line >= {lines[-9]}",
        ],
        ["head_ahead"],
    ),
    "two lines are exchanged": (
        lambda lines: [
            f"UPDATE workflows_record SET id = -1 WHERE id = {lines[7]}",
            f"UPDATE workflows_record SET id = {lines[7]} WHERE id = {lines[9]}",
            f"UPDATE workflows_record SET id = {lines[9]} WHERE id = -1",
        ],
        ["exchanged"],
    ),
    "two leaves are exchanged": (
        lambda lines: [
            f"UPDATE workflows_sealedline SET position = -1 WHERE line = {lines[7]}",
            f"UPDATE workflows_sealedline SET position = position - 1 WHERE line = {lines[8]}",
            f"UPDATE workflows_sealedline SET position = (SELECT position + 1 FROM workflows_sealedline"
            f" WHERE line = {lines[8]}) WHERE line = {lines[7]}",
        ],
        ["head_differs", "leaf_replaced"],
    ),
    "a leaf of the last, open tile is replaced": (
        lambda lines: [f"UPDATE workflows_sealedline SET leaf = sha256('x') WHERE line = {lines[-1]}"],
        ["changed", "head_differs"],
    ),
    "a line is slipped in": (
        lambda lines: [
            "INSERT INTO workflows_record (at, business_at, actor, actor_name, post, act, about, about_id, step,"
            " state_from, state_to, reason_code, reason_text, data, path, request_id) VALUES"
            " (now() - interval '1 day', now(), '', '', '', 'note', 'test', 1, '', '', '', '', '', '{}', '', '')"
        ],
        ["not_sealed"],
    ),
    "a line is slipped into the past under a time to come": (
        lambda lines: [
            "INSERT INTO workflows_record (id, at, business_at, actor, actor_name, post, act, about, about_id, step,"
            " state_from, state_to, reason_code, reason_text, data, path, request_id) VALUES"
            " (-5, '2099-01-01', now(), '', '', '', 'note', 'test', 1, '', '', '', '', '', '{}', '', '')"
        ],
        ["not_sealed"],
    ),
    "the newest head is taken away": (
        lambda lines: ["DELETE FROM workflows_treehead WHERE size = (SELECT max(size) FROM workflows_treehead)"],
        ["leaf_unsigned"],
    ),
    "a head is put in another's place": (
        lambda lines: [
            "UPDATE workflows_treehead SET note = (SELECT note FROM workflows_treehead ORDER BY size LIMIT 1)"
            " WHERE size = (SELECT max(size) FROM workflows_treehead)"
        ],
        ["head_differs"],
    ),
    "a head is written without the key": (
        lambda lines: [
            "UPDATE workflows_treehead SET note = replace(note, E'zhuxue\\n', E'zhuxve\\n')"
            " WHERE size = (SELECT max(size) FROM workflows_treehead)"
        ],
        ["head_broken"],
    ),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_found_and_named(sealed: list[int], how: str) -> None:
    statements, codes = TAMPERING[how]
    tamper(*statements(sealed))
    report = verify()
    assert {finding.code for finding in report.findings} == set(codes), [each.message for each in report.findings]
    assert all(finding.message for finding in report.findings)


def test_the_changed_line_is_named(sealed: list[int]) -> None:
    tamper(f"UPDATE workflows_record SET actor_name = '别人' WHERE id = {sealed[300]}")
    [finding] = verify().findings
    assert str(sealed[300]) in finding.message


def test_two_exchanged_lines_are_named_together(sealed: list[int]) -> None:
    statements, _codes = TAMPERING["two lines are exchanged"]
    tamper("UPDATE workflows_record SET reason_text = 'a' WHERE false", *statements(sealed))
    [finding] = verify().findings
    assert {finding.values["line"], finding.values["other"]} == {sealed[7], sealed[9]}


def test_a_whole_new_log_is_told_from_a_head_that_somebody_kept(sealed: list[int]) -> None:
    kept = TreeHead.objects.order_by("-size").first().note
    assert found(kept=[kept]) == []
    tamper(
        f"UPDATE workflows_record SET reason_text = 'x' WHERE id = {sealed[7]}",
        *(f"DELETE FROM {table}" for table in GUARDED[1:]),
    )
    while seal_now():
        pass
    assert found() == [], "the new log agrees with itself"
    assert found(kept=[kept]) == ["head_forked"]
    assert found(kept=["no head at all"]) == ["head_broken"]


def test_since_reads_only_what_was_written_later_and_all_leaves(sealed: list[int]) -> None:
    tamper(
        f"UPDATE workflows_record SET at = at - interval '9 days' WHERE id <= {sealed[400]}",
    )
    later = timezone.now() - timedelta(days=1)
    report = verify(since=later)
    assert report.ok
    assert (report.leaves, report.lines) == (SealedLine.objects.count(), 199)
    assert "changed" in found()


def test_a_line_is_late_after_ten_minutes(sealed: list[int]) -> None:
    [line] = write()
    assert found() == []
    tamper(f"UPDATE workflows_record SET at = at - interval '{LATE.total_seconds() + 60} seconds' WHERE id = {line}")
    assert found() == ["not_sealed"]


def test_a_head_says_what_was_signed_and_nothing_else() -> None:
    write()
    seal_now()
    head = TreeHead.objects.get()
    read = opened(head.note, public_key())
    assert (read.size, read.root) == (head.size, bytes(head.root))
    for forged in (head.note.replace(f"\n{head.size}\n", f"\n{head.size + 1}\n"), head.note[:-10], "", "a\n\nb"):
        with pytest.raises(ValueError):
            opened(forged, public_key())
    with pytest.raises(ValueError, match="this key"):
        opened(head.note, bytes(32))
    assert heads.signed(read) == head.note
