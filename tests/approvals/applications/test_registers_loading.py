"""Lists of other offices: uploaded, read in the background, taken over, withdrawn; by page, action and command."""

import json
from collections.abc import Callable
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from approvals.applications.actions import registers as actions
from approvals.applications.refusals import Refused
from approvals.applications.rosters import RosterUnreadable
from approvals.organisations.models import User
from approvals.people.models import RegisterEntry, RegisterList
from tests.factories import CountyFactory, SchoolFactory, acting, id_number, officer_of, person, set_training_date
from tests.races.conftest import at_once  # noqa: F401
from tests.roster_files import csv_text, grid, xlsx
from workflows.background import run_due
from workflows.models import Record

pytestmark = pytest.mark.django_db
HEADINGS = ["姓名", "身份证号", "死亡日期"]
DAY = date(2026, 8, 31)


def number(order: int) -> str:
    return id_number(date(1950, 3, 4), order)


def rows(count: int = 3, **changes: Any) -> list[dict[str, Any]]:
    return [{"姓名": f"逝者{n}", "身份证号": number(n), "死亡日期": "2026-05-04"} | changes for n in range(count)]


def book(*given: dict[str, Any], headings: list[str] = HEADINGS) -> bytes:
    return xlsx(grid(given or rows(), headings))


@pytest.fixture
def officer() -> User:
    set_training_date()
    return person("match_officer", CountyFactory())


@pytest.fixture
def client(officer: User, client: Client) -> Client:
    client.force_login(officer)
    return client


def uploaded(officer: User, content: bytes = b"", day: date = DAY, kind: str = "deceased") -> RegisterList:
    return actions.upload(content or book(), "死亡名册.xlsx", kind, "县公安局", day, acting(officer))


def loaded(officer: User, content: bytes = b"", day: date = DAY) -> RegisterList:
    register = uploaded(officer, content, day)
    run_due("long")
    actions.confirm(register.pk, acting(officer))
    run_due("long")
    register.refresh_from_db()
    return register


def refused(action: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refusal:
        action()
    assert "%" not in refusal.value.message
    return refusal.value.code


# ---------------------------------------------------------------- the way of a list


def test_a_list_is_read_looked_at_and_taken_over(officer: User) -> None:
    register = uploaded(officer)
    assert number(0).encode() not in bytes(register.content)
    run_due("long")
    register.refresh_from_db()
    assert (register.state, register.rows, register.valid, register.current) == ("previewed", 3, 3, False)
    assert RegisterEntry.objects.count() == 0
    actions.confirm(register.pk, acting(officer))
    run_due("long")
    register.refresh_from_db()
    assert (register.state, register.accepted, register.current, register.content) == ("loaded", 3, True, None)
    assert RegisterEntry.objects.filter(list=register).count() == 3
    acts = list(Record.objects.filter(about="register").order_by("id").values_list("act", "state_to"))
    assert acts == [("upload", "uploaded"), ("confirm", "loading"), ("load", "loaded")]


def test_nothing_of_the_people_on_a_list_stays_but_what_finds_them(officer: User) -> None:
    loaded(officer)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(e::text, '') || string_agg(l::text, '') FROM people_registerentry e"
                       " JOIN people_registerlist l ON l.id = e.list_id")  # fmt: skip
        [(text,)] = cursor.fetchall()
    assert number(0) not in text
    assert "逝者" not in text


def test_the_same_file_twice_is_told_and_changes_nothing(officer: User) -> None:
    first = loaded(officer)
    assert refused(lambda: uploaded(officer)) == "list_known"
    assert refused(lambda: uploaded(officer, day=date(2026, 9, 1))) == "list_known"
    assert RegisterList.objects.get() == first


def test_a_file_that_was_thrown_away_may_come_again(officer: User) -> None:
    register = uploaded(officer)
    run_due("long")
    actions.discard(register.pk, acting(officer))
    assert uploaded(officer).pk != register.pk
    register.refresh_from_db()
    assert (register.state, register.content) == ("discarded", None)


def test_a_later_list_takes_the_place_of_the_present_one(officer: User) -> None:
    first = loaded(officer, day=date(2026, 7, 31))
    second = loaded(officer, book(*rows(2)), DAY)
    first.refresh_from_db()
    assert (first.current, second.current) == (False, True)
    assert RegisterEntry.objects.filter(list=first).count() == 3


def doubted(officer: User, content: bytes, kind: str = "deceased") -> RegisterList:
    register = uploaded(officer, content, kind=kind)
    run_due("long")
    register.refresh_from_db()
    assert refused(lambda: actions.confirm(register.pk, acting(officer))) == "list_doubted"
    return register


def test_a_schools_roster_is_taken_for_no_list_unless_somebody_says_so(officer: User, client: Client) -> None:
    roster = ["姓名", "身份证号", "学校", "年级", "班级", "学籍号", "是否寄宿", "困难等级", "资助项目", "学期"]
    register = doubted(officer, book(*rows(), headings=roster), "disabled")
    address = reverse("applications:register_list", args=[register.pk])
    page = client.get(address).content.decode()
    assert "像是学校的学生名单" in page
    assert "学籍号、是否寄宿、困难等级、资助项目、学期" in page
    confirm = reverse("applications:list_confirm", args=[register.pk])
    client.post(confirm)
    register.refresh_from_db()
    assert register.state == "previewed"
    client.post(confirm, {"despite": "on"})
    register.refresh_from_db()
    assert register.state == "loading"
    assert Record.objects.get(act="confirm").data["despite"] == ["looks_like_roster"]


def test_a_list_of_another_kind_is_told_by_its_headings(officer: User, client: Client) -> None:
    register = doubted(officer, book(*rows()), "disabled")
    page = client.get(reverse("applications:register_list", args=[register.pk])).content.decode()
    assert "死亡日期" in page
    assert "像是“死亡和户籍注销”" in page


def test_a_list_less_than_half_as_long_as_the_present_one_is_confirmed_twice(officer: User, client: Client) -> None:
    loaded(officer, book(*rows(5)), date(2026, 7, 31))
    register = doubted(officer, book(*rows(2)))
    page = client.get(reverse("applications:register_list", args=[register.pk])).content.decode()
    assert "仅2行可导入，而它所替换的名册有5行" in page
    assert 'name="despite"' in page
    older = uploaded(officer, book(*rows(1)), date(2026, 6, 30))
    run_due("long")
    assert actions.confirm(older.pk, acting(officer)).state == "loading", "nothing is replaced by it"


def test_an_older_list_is_taken_as_history_only_and_the_page_says_so(officer: User, client: Client) -> None:
    present = loaded(officer)
    older = uploaded(officer, book(*rows(2)), date(2026, 6, 30))
    run_due("long")
    page = client.get(reverse("applications:register_list", args=[older.pk])).content.decode()
    assert "仅作为历史留存" in page
    actions.confirm(older.pk, acting(officer))
    run_due("long")
    for register in (older, present):
        register.refresh_from_db()
    assert (older.state, older.current, present.current) == ("loaded", False, True)


def test_a_corrected_list_of_the_same_day_replaces_the_first(officer: User) -> None:
    first, second = loaded(officer), loaded(officer, book(*rows(2)))
    first.refresh_from_db()
    assert (first.current, second.current) == (False, True)


def test_a_withdrawn_list_gives_its_place_back_and_says_why(officer: User) -> None:
    first, second = loaded(officer, day=date(2026, 7, 31)), loaded(officer, book(*rows(2)))
    by = acting(officer)
    assert refused(lambda: actions.withdraw(second.pk, by, "错了")) == "withdraw_why"
    actions.withdraw(second.pk, by, "上传了另一个县的名册，数据不适用。")
    for register in (first, second):
        register.refresh_from_db()
    assert (first.current, second.state, second.current) == (True, "withdrawn", False)
    assert Record.objects.get(act="withdraw").reason_text.startswith("上传了")
    assert uploaded(officer, book(*rows(2))).state == "uploaded", "it may be loaded again, with another date"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "nothing"}, "unknown_register"),
        ({"kind": "accounts"}, "unknown_register"),
        ({"origin": " "}, "origin_missing"),
        ({"as_of": date(2026, 9, 8)}, "date_ahead"),
        ({"as_of": date(1926, 9, 8)}, "date_too_old"),
    ],
)
def test_what_cannot_be_uploaded(officer: User, change: dict[str, Any], code: str) -> None:
    given: dict[str, Any] = {"kind": "deceased", "origin": "县公安局", "as_of": DAY} | change
    assert refused(lambda: actions.upload(book(), "x.xlsx", **given, by=acting(officer))) == code
    assert RegisterList.objects.count() == 0


def test_only_who_may_load_lists_does(officer: User) -> None:
    register = uploaded(officer)
    run_due("long")
    stranger = acting(officer_of(SchoolFactory()))
    for act in (
        lambda: actions.upload(book(*rows(2)), "x.xlsx", "deceased", "县公安局", DAY, stranger),
        lambda: actions.load_now(book(*rows(2)), "x.xlsx", "deceased", "县公安局", DAY, stranger),
        lambda: actions.confirm(register.pk, stranger),
        lambda: actions.discard(register.pk, stranger),
    ):
        with pytest.raises(PermissionDenied):
            act()
    register.refresh_from_db()
    assert (register.state, RegisterList.objects.count()) == ("previewed", 1)


def test_whose_post_ended_meanwhile_takes_nothing_over(officer: User) -> None:
    register = uploaded(officer)
    run_due("long")
    actions.confirm(register.pk, acting(officer))
    officer.posts.update(ends_on=date(2026, 9, 1))
    run_due("long")
    register.refresh_from_db()
    assert (register.state, RegisterEntry.objects.count()) == ("failed", 0)
    assert register.error


def test_acts_at_the_wrong_point_are_refused(officer: User) -> None:
    register = loaded(officer)
    by = acting(officer)
    assert refused(lambda: actions.confirm(register.pk, by)) == "wrong_list_state"
    assert refused(lambda: actions.discard(register.pk, by)) == "wrong_list_state"
    waiting = uploaded(officer, book(*rows(2)))
    assert refused(lambda: actions.withdraw(waiting.pk, by, "上传了另一个县的名册。")) == "wrong_list_state"


# ---------------------------------------------------------------- bad files and bad rows


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7 nothing",
        b"",
        b"<html><table><tr><td>1</td></tr></table></html>",
        b"PK\x03\x04 cut off",
        xlsx([["姓名", "电话"], ["某人", "1"]]),
        xlsx([HEADINGS]),
        xlsx([[]]),
    ],
    ids=["pdf", "empty", "web page", "damaged", "no number", "no rows", "blank"],
)
def test_a_file_that_is_no_list_says_what_it_is(officer: User, content: bytes) -> None:
    register = actions.upload(content, "名册.xlsx", "deceased", "县公安局", DAY, acting(officer))
    run_due("long")
    register.refresh_from_db()
    assert (register.state, register.content) == ("unreadable", None)
    assert len(register.error) > 5
    with pytest.raises(RosterUnreadable):
        actions.load_now(content, "名册.xlsx", "deceased", "县公安局", date(2026, 8, 30), acting(officer))


def test_text_in_the_old_encoding_with_full_width_digits_is_read(officer: User) -> None:
    wide = number(1).translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
    text = csv_text([["县公安局死亡人员名册", "", ""], HEADINGS, ["甲", wide, "2026.5.4"], ["合计", "1人", ""]])
    answer = actions.load_now(text.encode("gb18030"), "名册.csv", "deceased", "县公安局", DAY, acting(officer))
    assert (answer["rows"], answer["accepted"], answer["refused"]) == (1, 1, [])


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"身份证号": float(number(1)[:17] + "0")}, "身份证号", "number_form"),
        ({"身份证号": number(1)[:-1] + ("1" if number(1)[-1] != "1" else "2")}, "身份证号", "id_check_digit"),
        ({"身份证号": "130499500304001"}, "身份证号", "id_first_generation"),
        ({"死亡日期": "去年"}, "死亡日期", "date_unknown"),
        ({"死亡日期": "2026-09-05"}, "死亡日期", "date_future"),
    ],
)
def test_a_bad_row_is_refused_by_row_and_column(officer: User, cells: dict[str, Any], column: str, code: str) -> None:
    good, bad = rows(2)
    answer = actions.load_now(
        book(good, bad | cells), "名册.xlsx", "deceased", "县公安局", DAY, acting(officer), lang="en"
    )
    assert (answer["rows"], answer["accepted"]) == (2, 1)
    [line] = answer["refused"]
    assert (line["row"], line["column"], line["code"]) == (3, column, code)
    assert line["message"].endswith("."), "in the language asked for"


def test_a_word_that_is_no_category_says_which_there_are(officer: User) -> None:
    content = xlsx([["身份证号", "救助类别"], [number(1), "优抚"], [number(2), "农村低保"]])
    answer = actions.load_now(content, "名册.xlsx", "low_income", "县民政局", DAY, acting(officer))
    assert answer["refused"][0]["code"] == "category_unknown"
    assert "低保" in answer["refused"][0]["message"]


def test_a_list_without_one_valid_row_is_not_taken(officer: User) -> None:
    spoilt = book(*rows(1, 身份证号="12"))
    assert refused(
        lambda: actions.load_now(spoilt, "名册.xlsx", "deceased", "县公安局", DAY, acting(officer))
    ) == "no_valid_row"  # fmt: skip
    register = uploaded(officer, spoilt)
    run_due("long")
    assert refused(lambda: actions.confirm(register.pk, acting(officer))) == "no_valid_row"
    assert RegisterEntry.objects.count() == 0


def test_reasons_of_many_refused_rows_are_cut_and_the_count_is_not(officer: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(actions, "SHOWN", 2)
    register = uploaded(officer, book(*rows(1), *rows(5, 身份证号="12")))
    run_due("long")
    register.refresh_from_db()
    assert (register.valid, register.refused, len(register.problems)) == (1, 5, 2)


# ---------------------------------------------------------------- killed, and at once


@pytest.mark.django_db(transaction=True)
def test_killed_while_it_is_taken_over_nothing_is_half_done(officer: User, monkeypatch: Any) -> None:
    register = uploaded(officer)
    run_due("long")
    actions.confirm(register.pk, acting(officer))

    def killed(*_given: Any, **_named: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(actions, "_write", killed)
        with pytest.raises(SystemExit):
            actions.work_on_next()
    assert RegisterEntry.objects.count() == 0
    assert actions.work_on_next() == 1
    register.refresh_from_db()
    assert (register.state, RegisterEntry.objects.count()) == ("loaded", 3)


@pytest.mark.django_db(transaction=True)
def test_a_file_that_kills_its_worker_is_given_up_after_a_few_tries(officer: User, monkeypatch: Any) -> None:
    register = uploaded(officer)
    monkeypatch.setattr(actions, "_read", lambda *_given: 1 / 0)
    for _ in range(actions.ATTEMPTS):
        with pytest.raises(ZeroDivisionError):
            actions.work_on_next()
    assert actions.work_on_next() == 0
    register.refresh_from_db()
    assert (register.state, register.error) == ("failed", actions.TRIED_IN_VAIN)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_lists_of_a_kind_taken_over_at_once_leave_the_later_one_current(
    officer: User,
    at_once: Callable[..., list[Any]],  # noqa: F811
) -> None:
    by = acting(officer)

    def load(day: date, count: int) -> Callable[[], Any]:
        return lambda: actions.load_now(book(*rows(count)), "名册.xlsx", "deceased", "县公安局", day, by)

    answers = at_once(load(date(2026, 7, 31), 2), load(DAY, 3), load(date(2026, 6, 30), 4))
    assert [answer["accepted"] for answer in answers] == [2, 3, 4]
    assert RegisterList.objects.get(current=True).as_of == DAY


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_same_file_at_once_is_loaded_once(officer: User, at_once: Callable[..., list[Any]]) -> None:  # noqa: F811
    by, content = acting(officer), book()
    answers = at_once(*[lambda: actions.load_now(content, "x.xlsx", "deceased", "县公安局", DAY, by)] * 3)
    assert sorted(getattr(answer, "code", "loaded") for answer in answers) == ["list_known", "list_known", "loaded"]
    assert RegisterEntry.objects.count() == 3


def test_the_database_keeps_one_current_list_that_is_loaded() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        RegisterList.objects.create(kind="deceased", origin="x", as_of=DAY, state="previewed", current=True)
    RegisterList.objects.create(kind="deceased", origin="x", as_of=DAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        RegisterList.objects.create(kind="deceased", origin="y", as_of=DAY)


# ---------------------------------------------------------------- the command


def command(*arguments: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    status = 0
    try:
        call_command("load_register", *arguments, "--json", stdout=out)
    except SystemExit as end:
        status = int(end.code or 0)
    return status, json.loads(out.getvalue())


def test_the_command_loads_and_tells_like_the_roster_import(officer: User, tmp_path: Path) -> None:
    file = tmp_path / "名册.xlsx"
    file.write_bytes(book(*rows(2), *rows(1, 身份证号="12")))
    options = ("--origin", "县公安局", "--date", "2026-08-31")
    status, answer = command("deceased", str(file), *options)
    assert (status, answer["rows"], answer["accepted"], answer["current"]) == (1, 3, 2, True)
    assert [(line["row"], line["code"]) for line in answer["refused"]] == [(4, "id_length")]
    assert RegisterList.objects.get().uploaded_by == officer
    status, answer = command("deceased", str(file), *options, "--lang", "en")
    assert (status, answer["code"]) == (2, "list_known")
    file.write_bytes(book())
    status, answer = command("deceased", str(file), "--origin", "县公安局", "--date", "2026-06-30")
    assert (status, answer["current"], bool(answer["note"])) == (0, False, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nothing", "FILE", "--origin", "某局", "--date", "2026-08-31"], "unknown_register"),
        (["deceased", "missing.xlsx", "--origin", "某局", "--date", "2026-08-31"], "file_missing"),
        (["deceased", "FILE", "--origin", "某局", "--date", "31.8.2026"], "date_format"),
        (["deceased", "FILE", "--origin", "某局", "--date", "2026-08-31", "--by", "nobody"], "unknown_person"),
        (["deceased", "FILE", "--origin", "某局", "--date", "2026-08-31", "--by", "teacher"], "not_permitted"),
    ],
)
def test_the_command_says_what_it_cannot_do(officer: User, tmp_path: Path, arguments: list[str], code: str) -> None:
    person("aid_officer", SchoolFactory(), username="teacher")
    file = tmp_path / "名册.xlsx"
    file.write_bytes(book())
    status, answer = command(*[str(file) if each == "FILE" else each for each in arguments])
    assert (status, answer["code"]) == (2, code)
    assert answer["error"]
    assert RegisterList.objects.count() == 0


# ---------------------------------------------------------------- the pages


def send(client: Client, content: bytes, **changes: Any) -> Any:
    given = {"kind": "deceased", "origin": "县公安局", "as_of": "2026-08-31"} | changes
    file = SimpleUploadedFile("死亡名册.xlsx", content)
    return client.post(reverse("applications:list_upload"), given | {"file": file})


def test_a_list_goes_from_the_form_to_the_table_of_lists(client: Client) -> None:
    answer = send(client, book(*rows(2), *rows(1, 身份证号="12")))
    register = RegisterList.objects.get()
    address = reverse("applications:register_list", args=[register.pk])
    assert answer.url == address
    assert "hx-get" in client.get(address).content.decode(), "it is being read"
    run_due("long")
    page = client.get(address).content.decode()
    assert "身份证号码应为18位" in page or "18" in page
    assert "1 条未通过" in page or "未通过" in page
    client.post(reverse("applications:list_confirm", args=[register.pk]))
    run_due("long")
    page = client.get(reverse("applications:registers")).content.decode()
    assert "县公安局" in page
    assert "2026-08-31" in page


def test_an_old_list_is_marked_as_old(officer: User, client: Client) -> None:
    loaded(officer, day=date(2026, 6, 1))
    assert "98" in client.get(reverse("applications:registers")).content.decode()


@pytest.mark.parametrize("changes", [{"as_of": "2026-09-30"}, {"as_of": "x"}, {"kind": "y"}, {"origin": ""}])
def test_what_the_form_refuses_is_said_at_its_field(client: Client, changes: dict[str, str]) -> None:
    answer = send(client, book(), **changes)
    assert answer.status_code == 200
    [field] = changes
    assert answer.context["form"].errors[field]
    assert RegisterList.objects.count() == 0


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    "role", ["match_officer", "county_second_reviewer", "auditor", "aid_officer", "county_reviewer", "finance_maker"]
)
def test_who_sees_the_pages(officer: User, role: str, language: str) -> None:
    register = loaded(officer)
    place = SchoolFactory() if role == "aid_officer" else CountyFactory()
    reader = Client()
    reader.cookies["django_language"] = language
    reader.force_login(person(role, place))
    sees = role in ("match_officer", "county_second_reviewer", "auditor")
    may = role == "match_officer"
    pages = {
        reverse("applications:registers"): sees,
        reverse("applications:register_list", args=[register.pk]): sees,
        reverse("applications:register_kind", args=["deceased"]): sees,
        reverse("applications:list_template", args=["deceased"]): sees,
        reverse("applications:hits"): sees,
        reverse("applications:list_upload"): may,
    }
    with translation.override(language):
        assert {page: reader.get(page).status_code for page in pages} == {
            page: 200 if open_to else 403 for page, open_to in pages.items()
        }
    for name in ("list_confirm", "list_discard", "list_withdraw"):
        answer = reader.post(reverse(f"applications:{name}", args=[register.pk]))
        assert answer.status_code == (302 if may else 403)
    assert RegisterList.objects.get().state == "loaded", "nothing was asked that could be done, or a reason was missing"


@pytest.mark.parametrize("name", ["register_list", "list_confirm", "list_withdraw", "match_run"])
def test_what_is_not_there_is_not_found(client: Client, name: str) -> None:
    address = reverse(f"applications:{name}", args=[999])
    assert (client.post if name.startswith("list_") else client.get)(address).status_code == 404
    assert client.get(reverse("applications:register_kind", args=["accounts"])).status_code == 404


def test_the_table_of_lists_takes_as_many_statements_however_many_lists(
    officer: User, client: Client, django_assert_max_num_queries: Any
) -> None:
    for month in range(1, 6):
        RegisterList.objects.create(
            kind="deceased", origin="县公安局", as_of=date(2026, month, 1), current=month == 5, uploaded_by=officer
        )
    with django_assert_max_num_queries(14):
        client.get(reverse("applications:registers"))


def test_the_command_asks_again_before_it_takes_a_doubtful_list(officer: User, tmp_path: Path) -> None:
    file = tmp_path / "名册.xlsx"
    options = ("--origin", "县公安局", "--date", "2026-08-31")
    file.write_bytes(book(*rows(5)))
    assert command("deceased", str(file), *options)[0] == 0
    file.write_bytes(book(*rows(2)))
    status, answer = command("deceased", str(file), *options)
    assert (status, answer["code"]) == (2, "list_doubtful")
    assert "仅2行可导入" in answer["error"]
    assert RegisterList.objects.get().accepted == 5, "nothing is kept of the one that was not taken"
    status, answer = command("deceased", str(file), *options, "--despite-doubts")
    assert (status, answer["accepted"], answer["current"]) == (0, 2, True)
    assert Record.objects.filter(about="register", act="load").latest("id").data["despite"] == ["much_shorter"]
