"""The public page of a notice of 200 pupils, kept and made anew, against a static file and a plain page of Django.

Four processes of gunicorn and `wrk` on the same machine, one after the other, some seconds each; the median of rounds.
"""

import statistics
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from approvals.notices import actions
from tests.bench import crowd
from tests.bench.gunicorn import WRK, collect_static, served, wrk
from tests.bench.results import note
from tests.factories import (
    TERM,
    CountyFactory,
    SchoolFactory,
    TownshipFactory,
    VersionFactory,
    acting,
    person,
    set_training_date,
)
from workflows.seal.sealing import seal_now
from workflows.working_days import load_calendar

PUPILS = 200
ROUNDS = 5


@pytest.fixture
def page(transactional_db: None) -> str:
    """The address of a sealed notice of 200 pupils."""
    load_calendar()
    set_training_date()
    county = CountyFactory()
    school = SchoolFactory(parent=TownshipFactory(parent=county))
    place = crowd.Crowd(county, [], [school], VersionFactory())
    crowd.wait(place, "school_notice", PUPILS)
    author, signer = acting(person("aid_officer", school)), acting(person("school_head", school))
    notice = actions.draft("school_notice", school, place.version.programme, TERM, author)
    actions.submit(notice.pk, author)
    notice = actions.publish(notice.pk, signer, privacy_checked=True, sealed=True)
    seal_now()
    return reverse("public:notice", args=[notice.public_id])


@pytest.mark.bench
@pytest.mark.skipif(WRK is None, reason="no wrk here (apt-get install wrk)")
def test_a_kept_page_costs_little_more_than_a_file_and_a_fresh_one_less_than_a_plain_page(page: str) -> None:
    collect_static()
    kept: dict[str, list[float]] = {"static": [], "page": [], "unchanged": []}
    fresh: dict[str, list[float]] = {"page": [], "plain": []}
    with served() as (address, _):
        answer = urllib.request.urlopen(address + page)  # noqa: S310
        body, mark = answer.read(), answer.headers["ETag"]
        assert answer.headers.get("Set-Cookie") is None
        assert "Cookie" not in (answer.headers.get("Vary") or "")
    file = Path(settings.STATIC_ROOT) / "bench-public.html"
    file.write_bytes(body)
    try:
        with (
            served() as (address, _),
            served(KEEP_PUBLIC_PAGES="0") as (anew, _),
            served("tests.bench.plain.wsgi") as (plain, _),
        ):
            for _ in range(ROUNDS):
                kept["static"].append(wrk(f"{address}{settings.STATIC_URL}{file.name}"))
                kept["page"].append(wrk(address + page))
                kept["unchanged"].append(wrk(address + page, If_None_Match=mark))
                fresh["page"].append(wrk(anew + page))
                fresh["plain"].append(wrk(f"{plain}/"))
    finally:
        file.unlink()
    print(len(body), "bytes", kept, fresh)
    reads, unchanged = _ratio(kept, "page", "static"), _ratio(kept, "unchanged", "static")
    note(
        public_notice_vs_static=round(min(reads, unchanged), 2),
        public_notice_uncached_vs_template=round(_ratio(fresh, "page", "plain"), 2),
        public_notice_per_s=round(statistics.median(kept["page"])),
    )
    assert min(reads, unchanged) >= 0.5
    assert _ratio(fresh, "page", "plain") >= 2


def _ratio(measured: dict[str, list[float]], one: str, other: str) -> float:
    """The median over the rounds, in each of which one was measured right after the other."""
    return statistics.median(a / b for a, b in zip(measured[one], measured[other], strict=True))
