"""Several processes serve the public site, each with pages in its own memory; what is stopped is shown by none of them.

The processes are real ones (gunicorn), and one of them is killed meanwhile: what it kept goes with it, what the one in
its place makes is checked like any other.
"""

import os
import signal
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.urls import reverse

from approvals.notices import actions
from approvals.notices.models import Notice
from tests.approvals.notices.conftest import Place
from tests.bench.gunicorn import collect_static, served
from workflows import Reason
from workflows.seal.sealing import seal_now

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
WORKERS = 3
NAME = "赵一苗"


@pytest.fixture
def notice(school_place: Place) -> Notice:
    """A sealed notice with 赵一苗 on it."""
    for name in (NAME, "王小禾", "李大雨"):
        school_place.applications(1, name=name)
    made = school_place.published(0)
    seal_now()
    return made


def asked(address: str) -> tuple[int, str]:
    """One request on a connection of its own."""
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def everywhere(address: str, times: int = 24) -> list[tuple[int, str]]:
    """Many at once, so that every process answers some."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(asked, [address] * times))


def processes_of(master: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def test_no_process_shows_what_was_taken_off_or_stopped_though_one_is_killed(
    notice: Notice, school_place: Place
) -> None:
    collect_static()
    page = reverse("public:notice", args=[notice.public_id])
    with served(workers=WORKERS) as (address, master):
        before = everywhere(address + page)
        assert [status for status, _ in before] == [200] * len(before)
        assert all(NAME in text for _, text in before)

        line = notice.lines.get(shown__contains={"姓名": NAME})
        assert actions.withdraw_line(
            line.pk, school_place.reviewer, Reason("line_withdrawn", "该生已转学，需重新核实。")
        ).ok
        assert not any(NAME in text for _, text in everywhere(address + page))

        killed, *_ = processes_of(master)
        os.kill(killed, signal.SIGKILL)
        after = [answer for answer in everywhere(address + page) if answer[0] == 200]
        assert after
        assert not any(NAME in text for _, text in after)

        actions.void(notice.pk, school_place.signer, Reason("wrong_list", "名单里缺了两个班级，请重新拟稿。"))
        stopped = everywhere(address + page)
        assert [status for status, _ in stopped] == [410] * len(stopped)
        assert not any("王小禾" in text for _, text in stopped)
        home = everywhere(f"{address}/public/")
        assert [status for status, text in home if notice.public_id in text] == []
        assert killed not in processes_of(master)
