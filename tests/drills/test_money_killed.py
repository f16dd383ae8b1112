"""Who makes, sends, answers and reissues batches is killed without warning, at any moment: no payment is lost, none is
made twice, the ledger adds up, every file keeps its bytes, and the next one goes on from there.

In CI ten kills; the drill makes two hundred.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from django.db import connection

from approvals.awards.models import Award
from approvals.disbursement import actions
from approvals.disbursement.models import BankFile, Batch, PaymentLine
from tests.approvals.disbursement.test_batches import Office
from tests.drills.paying import ENDED, out_of_step
from tests.drills.test_decisions_killed import wait_until_nobody_writes
from tests.factories import funded

ROOT = Path(__file__).resolve().parents[2]
AT_A_TIME = 4
"""Pupils whose money waits anew before each worker starts."""


@contextmanager
def nursery() -> Iterator[tuple[IO[str], IO[str]]]:
    """A process that has loaded everything and starts workers; what it is told, and what it says."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.drills.paying", connection.settings_dict["NAME"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "project.settings"},
    )
    assert process.stdin
    assert process.stdout
    try:
        yield process.stdin, process.stdout
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(60)


def started(orders: IO[str], said: IO[str], seed: int) -> int:
    """A worker that has begun; its process number."""
    orders.write(f"{seed}\n")
    orders.flush()
    return int(said.readline())


def same_bytes(known: dict[int, bytes], office: Office) -> None:
    """Every file that was sent is what it was; the latest ones are asked for once more, and are the same."""
    files = list(BankFile.objects.filter(direction="out").order_by("pk"))
    for file in files:
        content = bytes(file.content)
        assert known.setdefault(file.batch_id, content) == content
    for file in files[-AT_A_TIME:]:
        assert bytes(actions.export(file.batch_id, office.maker).content) == known[file.batch_id]
    assert known.keys() == set(BankFile.objects.filter(direction="out").values_list("batch", flat=True))


def kill(times: int, seed: int = 1) -> None:
    office, chance = Office(), random.Random(seed)
    funded(office.county, office.version.programme)
    known: dict[int, bytes] = {}
    begun, unfinished = time.monotonic(), 0
    with nursery() as (orders, said):
        for turn in range(times):
            office.approved(AT_A_TIME)
            worker = started(orders, said, turn)
            time.sleep(chance.uniform(0.0, 0.6))
            os.kill(worker, signal.SIGKILL)
            unfinished += said.readline().strip() == f"ended {-signal.SIGKILL}"
            wait_until_nobody_writes()
            assert out_of_step() == [], f"after kill {turn}"
            same_bytes(known, office)
        started(orders, said, times)
        assert said.readline().strip() == "ended 0", "the last one is left to finish"
    assert out_of_step() == []
    same_bytes(known, office)
    assert not Batch.objects.exclude(state__in=ENDED).exists()
    paid = PaymentLine.objects.filter(state="paid").values_list("award", flat=True)
    assert sorted(paid) == sorted(Award.objects.values_list("pk", flat=True))
    print(
        f"\n{times} kills, {unfinished} at work, {Batch.objects.count()} batches, {PaymentLine.objects.count()} lines,"
        f" {len(paid)} paid, in {time.monotonic() - begun:.0f} s"
    )
    assert unfinished > times / 2, "a worker that had ended was not killed"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_kills_lose_no_payment_and_make_none_twice() -> None:
    kill(10)


@pytest.mark.drill
@pytest.mark.django_db(transaction=True)
def test_two_hundred_kills_lose_no_payment_and_make_none_twice() -> None:
    kill(200)
