"""Public notices by the thousand: closed in the minute in which they come due, and a long one published."""

from time import perf_counter

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from approvals.notices import actions, queries, tasks
from approvals.notices.models import Notice, NoticeLine
from approvals.organisations.models import Organisation
from tests.bench import crowd
from tests.bench.results import note
from tests.factories import FIRST_DAY, TERM, acting, person, set_training_date
from workflows import working_days
from workflows.models import CalendarYear, Case, Record

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

NOTICES, LINES_EACH, LONG = 1_000, 200, 50_000


@pytest.fixture
def place() -> crowd.Crowd:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")  # commits wait for the disk here, as in production
    set_training_date()
    CalendarYear.objects.create(year=FIRST_DAY.year, source="示例")
    working_days.forget()
    return crowd.county()


_NOTICES = f"""
    INSERT INTO {Notice._meta.db_table}
           (state, step, organisation_id, path, programme_id, term, grade, class_name, subject, kind, title, body,
            remark, columns, mask_names, days, day_kind, contact, contact_phone, contact_place, supervision_phone,
            drafted_by_id, signed_by_id, drafted_person, signed_person, published_at, sealed_on, ends_on, provisional,
            edition, contested, conclusion, conclusion_text, void_reason, line_count, frozen, sha256, public_id)
    SELECT 'published', 'school_notice', o.id, o.path, %(programme)s, %(term)s, '', '', '义教生活补助', 'bank_transfer',
           o.name || '公示', '正文', '', '["序号", "姓名"]', false, 5, 'working', '王老师', '0310-0000000', '一楼', '',
           %(author)s, %(signer)s, %(author_person)s, %(signer_person)s, timestamptz '2026-08-31 09:00+08',
           date '2026-08-31', date '2026-09-04', false, 1, false, '', '', '', %(lines)s, '{{}}', repeat('0', 64),
           lpad(n::text, 16, '0')
      FROM generate_series(1, %(notices)s) n
      JOIN {Organisation._meta.db_table} o ON o.id = (%(schools)s::bigint[])[1 + n %% %(count)s]
"""
_LINES = f"""
    INSERT INTO {NoticeLine._meta.db_table} (notice_id, case_id, number, state, open, step, shown, reason)
    SELECT notice.id, kase.id, kase.n / notice.of + 1, 'listed', true, 'school_notice',
           jsonb_build_object('序号', (kase.n / notice.of + 1)::text, '姓名', kase.title), ''
      FROM (SELECT id, path, title, row_number() OVER (PARTITION BY path ORDER BY id) - 1 AS n
              FROM {Case._meta.db_table} WHERE state = 'school_notice') kase
      JOIN (SELECT id, path, row_number() OVER (PARTITION BY path ORDER BY id) - 1 AS place,
                   count(*) OVER (PARTITION BY path) AS of FROM {Notice._meta.db_table}) notice
        ON notice.path = kase.path AND kase.n % notice.of = notice.place
"""


def come_due(place: crowd.Crowd, notices: int, lines: int) -> None:
    """So many public notices, each of a school with so many pupils, whose last day was Friday."""
    author, signer = person("aid_officer", place.schools[0]), person("school_head", place.schools[0])
    crowd.wait(place, "school_notice", notices * lines, whole=False)
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTICES,
            {
                "programme": place.version.programme_id, "term": TERM, "notices": notices, "lines": lines,
                "schools": [school.pk for school in place.schools], "count": len(place.schools),
                "author": author.pk, "signer": signer.pk, "author_person": author.person,
                "signer_person": signer.person,
            },
        )  # fmt: skip
        cursor.execute(_LINES)
        cursor.execute(f"VACUUM ANALYZE {Notice._meta.db_table}")
        cursor.execute(f"VACUUM ANALYZE {NoticeLine._meta.db_table}")
    assert NoticeLine.objects.count() == notices * lines


def test_closing(place: crowd.Crowd) -> None:
    """A thousand notices with two hundred thousand lines come due in the same minute."""
    come_due(place, NOTICES, LINES_EACH)
    begun = perf_counter()
    while tasks.conclude_notices():
        pass
    took = perf_counter() - begun
    print(f"\n{NOTICES} notices with {NOTICES * LINES_EACH} lines closed in {took:.1f} s")
    assert set(Notice.objects.values_list("state", "conclusion")) == {("taken_down", "no_objection")}
    assert not NoticeLine.objects.exclude(state="confirmed", open=False).exists()
    assert not Case.objects.filter(state="school_notice").exists()
    assert Case.objects.filter(noticed__contains=["school_notice"]).count() == NOTICES * LINES_EACH
    assert Record.objects.filter(about="case", act="conclude").count() == NOTICES * LINES_EACH
    assert Record.objects.filter(about="notice", act="take_down").count() == NOTICES
    note(notice_close_200k_s=round(took, 1))


def test_publishing_a_long_list(place: crowd.Crowd) -> None:
    """One notice of fifty thousand lines: checked, frozen, hashed, and its first page read by the public."""
    crowd.wait(place, "county_notice", LONG, whole=False)
    author, signer = acting(person("county_reviewer", place.county)), acting(person("county_leader", place.county))
    begun = perf_counter()
    notice = actions.draft("county_notice", place.county, place.version.programme, TERM, author)
    drafted = perf_counter()
    actions.submit(notice.pk, author)
    handed_on = perf_counter()
    seen = queries.content(notice).mark
    actions.publish(notice.pk, signer, privacy_checked=True, sealed=True)
    published = perf_counter()
    page = Client().get(reverse("public:notice", args=[notice.public_id]))
    read = perf_counter()
    assert page.status_code == 200
    assert seen
    assert Notice.objects.get(pk=notice.pk).line_count == LONG
    print(
        f"\n{LONG} lines: drafted in {drafted - begun:.1f} s, handed on in {handed_on - drafted:.1f} s,"
        f" published in {published - handed_on:.1f} s, first page in {read - published:.2f} s"
    )
    note(notice_publish_50k_s=round(read - handed_on, 1))
