"""A school's roster on its way from the file to drafts: judged, confirmed, taken over once."""

import gc
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from approvals.applications import importing
from approvals.applications.actions import rosters as actions
from approvals.applications.importing import ROWS_NAMED, target_of
from approvals.applications.models import Application, Roster
from approvals.applications.refusals import Refused
from approvals.applications.rosters import RosterUnreadable
from approvals.organisations.actions import load_organisations
from approvals.organisations.queries import school_by_code
from approvals.people.models import Student
from approvals.programmes.actions import load_programmes
from approvals.programmes.models import Window
from notifications.models import Message
from tests.factories import FIRST_DAY, acting, head_of, officer_of, set_training_date
from workflows.background import run_due
from workflows.models import Case, Record
from workflows.working_days import load_calendar

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parents[2] / "data" / "rosters"
TERM = "2026-2027-1"


@pytest.fixture(autouse=True)
def county() -> None:
    set_training_date()
    load_calendar()
    load_organisations()
    load_programmes()


@pytest.fixture
def school() -> Any:
    return school_by_code("2113049901", FIRST_DAY)


@pytest.fixture
def officer(school: Any) -> Any:
    return officer_of(school)


def clean() -> bytes:
    return (DATA / "clean.xlsx").read_bytes()


def spoilt(*changes: tuple[int, str, Any]) -> bytes:
    """The clean list with cells changed: (row, canonical column, value)."""
    book = load_workbook(io.BytesIO(clean()))
    sheet = book.active
    headings = [cell.value for cell in sheet[1]]
    for row, column, value in changes:
        sheet.cell(row, headings.index(column) + 1).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def take(content: bytes, school: Any, by: Any, **options: Any) -> dict[str, Any]:
    return actions.import_now(content, "名单.xlsx", target_of(school, "living_subsidy", TERM), acting(by), **options)


def test_each_row_decides_boarder_or_day_pupil_and_becomes_a_draft(school: Any, officer: Any) -> None:
    answer = take(clean(), school, officer)
    assert answer == {"rows": 120, "accepted": 120, "refused": []}
    boarders = Application.objects.filter(boarder=True)
    assert set(boarders.values_list("programme", flat=True)) == {"living_subsidy_boarder"}
    assert {str(amount) for amount in boarders.values_list("amount", flat=True)} == {"625.00"}
    assert {str(a) for a in Application.objects.filter(boarder=False).values_list("amount", flat=True)} == {"312.50"}
    assert set(Case.objects.values_list("state", flat=True)) == {"draft"}
    assert not Student.objects.filter(verified=True).exists()


def test_the_same_list_the_next_day_is_refused_as_repeated(school: Any, officer: Any) -> None:
    take(clean(), school, officer)
    again = take(clean(), school, officer)
    assert again["accepted"] == 0
    assert len(again["refused"]) == 120
    first = again["refused"][0]
    assert (first["row"], first["column"], first["code"]) == (2, "身份证号", "duplicate")
    assert "重复" in first["message"]
    assert Application.objects.count() == 120


def test_a_refused_row_stands_once_with_its_root_cause(school: Any, officer: Any) -> None:
    content = spoilt(
        (5, "身份证号", "130499201203050011"), (7, "金额", "700.00"), (9, "银行账号", "6219990000000000011")
    )
    answer = take(content, school, officer)
    assert (answer["rows"], answer["accepted"]) == (120, 117)
    assert [(row["row"], row["column"]) for row in answer["refused"]] == [
        (5, "身份证号"),
        (7, "金额"),
        (9, "银行账号"),
    ]


@pytest.mark.parametrize(("lang", "word"), [("zh-hans", "元"), ("en", "yuan")])
def test_refused_rows_speak_the_language_asked_for_though_others_are_taken(
    school: Any, officer: Any, lang: str, word: str
) -> None:
    answer = take(spoilt((7, "金额", "700.00")), school, officer, lang=lang)
    assert answer["accepted"] == 119
    assert word in answer["refused"][0]["message"]
    kept = Roster.objects.get().problems[0]["message"]
    assert "元" in kept["zh-hans"]
    assert "yuan" in kept["en"]


def test_all_or_nothing_takes_nothing_when_one_row_is_refused(school: Any, officer: Any) -> None:
    answer = take(spoilt((5, "身份证号", "1")), school, officer, all_or_nothing=True)
    assert (answer["accepted"], len(answer["refused"])) == (0, 1)
    assert not Application.objects.exists()
    assert not Student.objects.exists()


def test_the_collector_of_cycles_comes_back_also_after_a_refusal(school: Any, officer: Any) -> None:
    with pytest.raises(RosterUnreadable):
        take(b"", school, officer)
    assert gc.isenabled()
    with importing.without_collecting(), importing.without_collecting():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_dry_run_writes_nothing(school: Any, officer: Any) -> None:
    assert take(clean(), school, officer, dry_run=True)["accepted"] == 120
    assert not Application.objects.exists()
    assert not Roster.objects.exists()


def test_a_pupil_of_another_school_is_refused(school: Any, officer: Any) -> None:
    take(clean(), school, officer)
    Application.objects.all().delete()
    elsewhere = school_by_code("3413049990", FIRST_DAY)
    Student.objects.filter(name=Student.objects.order_by("pk").first().name).update(school=elsewhere)
    refused = take(clean(), school, officer)["refused"]
    assert refused
    assert {row["code"] for row in refused} == {"pupil_elsewhere"}
    assert elsewhere.name in refused[0]["message"]


@pytest.mark.parametrize("role", [head_of, None])
def test_only_the_schools_officer_may_upload(school: Any, role: Any) -> None:
    user = role(school) if role else officer_of(school_by_code("3413049990", FIRST_DAY))
    with pytest.raises(PermissionDenied):
        take(clean(), school, user)
    with pytest.raises(PermissionDenied):
        actions.upload(clean(), "a.xlsx", school, "living_subsidy", TERM, acting(user))


def test_nothing_is_taken_outside_the_window(school: Any, officer: Any) -> None:
    set_training_date(FIRST_DAY.replace(month=12))
    with pytest.raises(Refused) as refused:
        take(clean(), school, officer)
    assert refused.value.code == "window_closed"


def uploaded(school: Any, officer: Any, content: bytes) -> Roster:
    roster = actions.upload(content, "名单.xlsx", school, "living_subsidy", TERM, acting(officer))
    run_due("long")
    roster.refresh_from_db()
    return roster


def test_an_uploaded_list_is_previewed_and_taken_over_when_the_school_says_so(school: Any, officer: Any) -> None:
    roster = uploaded(school, officer, spoilt((5, "身份证号", "1")))
    assert (roster.state, roster.rows, roster.valid) == ("previewed", 120, 119)
    assert not Application.objects.exists()
    actions.confirm(roster.pk, False, True, True, acting(officer))
    run_due("long")
    roster.refresh_from_db()
    assert (roster.state, roster.accepted) == ("imported", 119)
    assert Case.objects.filter(missing=[]).count() == 119
    assert Message.objects.filter(recipient=officer, event="roster_imported").count() == 1
    assert b"1304" not in bytes(roster.content or b"")


def test_without_the_papers_a_draft_lacks_commitment_and_consent(school: Any, officer: Any) -> None:
    take(clean(), school, officer)
    lacking = {tuple(missing) for missing in Case.objects.values_list("missing", flat=True)}
    assert all("commitment" in missing for missing in lacking)
    assert any("consent" in missing for missing in lacking)


def test_killed_between_chunks_it_goes_on_and_takes_no_row_twice(
    school: Any, officer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "CHUNK", 50)
    roster = uploaded(school, officer, clean())
    actions.confirm(roster.pk, False, False, False, acting(officer))
    real, calls = actions._take_chunk, []

    def dies(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(actions, "_take_chunk", dies)
    with pytest.raises(KeyboardInterrupt):
        run_due("long")
    assert Application.objects.count() == 50
    run_due("long")
    roster.refresh_from_db()
    assert (roster.state, roster.accepted) == ("imported", 120)
    assert Application.objects.count() == 120


def test_a_list_that_always_fails_is_left_alone_after_some_tries(
    school: Any, officer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = actions.upload(clean(), "a.xlsx", school, "living_subsidy", TERM, acting(officer))
    monkeypatch.setattr(actions, "_judge", lambda roster: 1 / 0)
    for _ in range(actions.ATTEMPTS + 2):
        run_due("long")
    roster.refresh_from_db()
    assert (roster.state, roster.attempts) == ("failed", actions.ATTEMPTS)


def test_a_file_that_is_no_roster_says_why(school: Any, officer: Any) -> None:
    roster = uploaded(school, officer, b"%PDF-1.7 nothing")
    assert roster.state == "unreadable"
    assert "PDF" in roster.error


def test_the_pages_lead_from_upload_to_drafts(
    school: Any, officer: Any, client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(officer)
    file = SimpleUploadedFile("名单.xlsx", spoilt((5, "身份证号", "1"), (6, "姓名", "=1+1")))
    sent = client.post(
        reverse("applications:roster_upload"),
        {"school": school.pk, "target": f"living_subsidy {TERM}", "file": file},
    )
    roster = Roster.objects.get()
    address = reverse("applications:roster", args=[roster.pk])
    assert sent.headers["Location"] == address
    assert "正在读取" in client.get(address).content.decode() or roster.state == "uploaded"
    run_due("long")
    with django_assert_max_num_queries(20):
        page = client.get(address).content.decode()
    assert "公民身份号码" not in page
    assert "身份证号" in page
    sheet = load_workbook(
        io.BytesIO(client.get(reverse("applications:roster_errors", args=[roster.pk])).content)
    ).active
    assert sheet.cell(1, sheet.max_column).value == "错误原因"
    assert sheet.cell(5, sheet.max_column).value
    assert sheet.cell(6, 6).data_type == "s"
    client.post(reverse("applications:roster_confirm", args=[roster.pk]), {"mode": "valid", "commitment_held": "on"})
    run_due("long")
    assert "草稿" in client.get(address).content.decode()
    with django_assert_max_num_queries(14):
        assert client.get(reverse("applications:roster_list")).status_code == 200


def test_findings_name_row_and_pupil_and_rows_passed_over_their_numbers(
    school: Any, officer: Any, client: Client
) -> None:
    client.force_login(officer)
    roster = uploaded(
        school, officer, with_rows_below(["合计", *[None] * 14, "75000"], ["填表人：李春苗", "审核人：王建民"])
    )
    address = reverse("applications:roster", args=[roster.pk])
    answer = client.get(address)
    finding = next(each for each in answer.context["findings"] if each["count"] > ROWS_NAMED)
    assert len(finding["rows"]) == ROWS_NAMED
    row, name = finding["rows"][0]
    page = answer.content.decode()
    assert f"第{row}行 {name}" in page
    whys = {str(why): rows for why, rows in answer.context["passed_over"]}
    assert (whys["合计行"], whys["签字行"]) == ("122", "123")
    assert "第122行" in page
    actions.discard(roster.pk, acting(officer))
    roster.refresh_from_db()
    assert name not in str(roster.understood)


def with_rows_below(*below: list[Any]) -> bytes:
    """The clean sample with more rows at its end."""
    book = load_workbook(io.BytesIO(clean()))
    for cells in below:
        book.active.append(cells)
    output = io.BytesIO()
    book.save(output)
    return output.getvalue()


def test_a_roster_of_another_school_is_not_there(school: Any, officer: Any, client: Client) -> None:
    roster = uploaded(school, officer, clean())
    client.force_login(officer_of(school_by_code("3413049990", FIRST_DAY)))
    for name in ("roster", "roster_errors"):
        assert client.get(reverse(f"applications:{name}", args=[roster.pk])).status_code == 404
    for name in ("roster_confirm", "roster_discard", "roster_papers"):
        assert client.post(reverse(f"applications:{name}", args=[roster.pk]), {"mode": "valid"}).status_code == 404
    client.force_login(head_of(school))
    assert client.get(reverse("applications:roster", args=[roster.pk])).status_code == 403


def test_the_blank_template_can_be_filled_in_and_uploaded(school: Any, officer: Any, client: Client) -> None:
    client.force_login(officer)
    content = client.get(reverse("applications:roster_template")).content
    sheet = load_workbook(io.BytesIO(content)).active
    assert "身份证号" in [cell.value for cell in sheet[2]]


def command(*args: str) -> tuple[int, dict[str, Any]]:
    out = io.StringIO()
    try:
        call_command("import_roster", *args, stdout=out)
        status = 0
    except SystemExit as leave:
        status = int(str(leave.code))
    return status, json.loads(out.getvalue())


@pytest.mark.parametrize(
    ("file", "school_code", "programme"),
    [("clean.xlsx", "2113049901", "living_subsidy"), ("gbk.csv", "3413049990", "senior_state_grant")],
)
def test_the_command_answers_as_the_sample_expects(file: str, school_code: str, programme: str) -> None:
    officer_of(school_by_code(school_code, FIRST_DAY))
    expected = json.loads((DATA / f"{file.split('.')[0]}.expected.json").read_text())
    status, answer = command(
        str(DATA / file), "--school", school_code, "--programme", programme, "--term", "2026年秋季学期", "--json"
    )
    assert status == 0
    assert (answer["rows"], answer["refused"]) == (expected["rows"], [])
    assert answer["accepted"] == expected["rows"]


def test_the_command_says_in_its_exit_status_what_happened(school: Any, officer: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.xlsx"
    bad.write_bytes(spoilt((3, "性别", "女" if "男" else "男"), (4, "金额", "1")))
    target = ("--school", school.code, "--programme", "living_subsidy", "--term", TERM)
    status, answer = command(str(bad), *target, "--json", "--lang", "en")
    assert status == 1
    assert all(row["message"].isascii() or "“" in row["message"] for row in answer["refused"])
    assert command(str(bad), "--school", "0000000000", *target[2:])[0] == 2
    assert command(str(bad), *target[:2], "--programme", "none", *target[4:])[1]["code"] == "unknown_programme"
    assert command(str(bad), *target[:4], "--term", "明年")[0] == 2
    assert command(str(tmp_path / "missing.xlsx"), *target)[0] == 2
    empty = tmp_path / "empty.xlsx"
    book = Workbook()
    book.save(empty)
    assert command(str(empty), *target)[1]["error"]


def test_every_act_on_a_roster_is_on_the_record(school: Any, officer: Any) -> None:
    roster = uploaded(school, officer, clean())
    actions.confirm(roster.pk, False, True, True, acting(officer))
    run_due("long")
    acts = Record.objects.filter(about="roster", about_id=roster.pk).order_by("id").values_list("act", flat=True)
    assert list(acts) == ["upload", "confirm", "import"]


def test_papers_that_were_registered_are_shown_with_day_and_name(school: Any, officer: Any, client: Client) -> None:
    client.force_login(officer)
    roster = uploaded(school, officer, clean())
    actions.confirm(roster.pk, False, True, False, acting(officer))
    run_due("long")
    address = reverse("applications:roster", args=[roster.pk])
    page = client.get(address).content.decode()
    assert f"承诺书：已于2026年9月7日登记，登记人{officer.name}" in page
    assert "监护人同意书：" not in page
    client.post(reverse("applications:roster_papers", args=[roster.pk]), {"consent_held": "on"})
    page = client.get(address).content.decode()
    assert "承诺书：" not in page
    assert "监护人同意书：已于" in page
    Case.objects.filter(application__roster=roster).update(state="school_review")
    assert "监护人同意书：已于" in client.get(address).content.decode()


# ---------------------------------------------------------------- uploaded for the wrong programme


def test_a_list_for_another_programme_says_so_once_and_is_checked_again_for_it(
    school: Any, officer: Any, client: Client
) -> None:
    client.force_login(officer)
    roster = actions.upload(clean(), "名单.xlsx", school, "hardship_recognition", TERM, acting(officer))
    run_due("long")
    address = reverse("applications:roster", args=[roster.pk])
    answer = client.get(address)
    page = answer.content.decode()
    assert answer.context["meant"]["target"] == f"living_subsidy {TERM}"
    assert page.count(answer.context["meant"]["found"] + "”") == 1
    assert answer.context["refused"] == []
    client.post(
        reverse("applications:roster_retarget", args=[roster.pk]), {"target": answer.context["meant"]["target"]}
    )
    run_due("long")
    roster.refresh_from_db()
    assert (roster.state, roster.programme, roster.rows, roster.valid) == ("previewed", "living_subsidy", 120, 120)
    assert client.get(address).context["meant"] is None
    line = Record.objects.get(about="roster", act="retarget")
    assert line.data["to"] == {"programme": "living_subsidy", "term": TERM}


def test_a_list_for_a_term_that_is_not_open_says_so_and_what_is_open(school: Any, officer: Any, client: Client) -> None:
    client.force_login(officer)
    others = [(row, "学期", "2025-2026-2") for row in range(2, 122)]
    roster = uploaded(school, officer, spoilt(*others, (42, "性别", "不详")))
    answer = client.get(reverse("applications:roster", args=[roster.pk]))
    page = answer.content.decode()
    assert "2026年春季学期目前未开放申请" in page
    assert "贵校目前不能申请" not in page
    last = Window.objects.filter(programme="living_subsidy_boarder", term=TERM).get().closes_on
    assert f"截至{last.year}年{last.month}月{last.day}日" in page
    assert '<span class="badge' in page
    assert "没有可导入的行" in page
    assert "没有可导入的行" in client.get(reverse("applications:roster_list")).content.decode()
    assert "待您确认" not in page


def test_refused_rows_are_numbers_of_rows_and_no_counts(school: Any, officer: Any, client: Client) -> None:
    client.force_login(officer)
    roster = uploaded(school, officer, spoilt((42, "身份证号", "1")))
    page = client.get(reverse("applications:roster", args=[roster.pk])).content.decode()
    assert "第42行" in page
    assert "拒收 1 行" in page


def test_only_the_school_has_its_list_checked_again_and_only_before_it_is_taken(school: Any, officer: Any) -> None:
    roster = uploaded(school, officer, clean())
    with pytest.raises(PermissionDenied):
        actions.retarget(roster.pk, "living_subsidy", TERM, acting(head_of(school)))
    with pytest.raises(Refused):
        actions.retarget(roster.pk, "no_such_programme", TERM, acting(officer))
    actions.confirm(roster.pk, False, True, True, acting(officer))
    with pytest.raises(Refused):
        actions.retarget(roster.pk, "living_subsidy", TERM, acting(officer))


def test_a_school_is_offered_what_it_teaches_and_chooses_itself(school: Any, officer: Any, client: Client) -> None:
    client.force_login(officer)
    field = client.get(reverse("applications:roster_upload")).context["form"].fields["target"]
    offered = [code for code, _name in field.choices]
    assert offered[0] == ""
    assert f"living_subsidy {TERM}" in offered
    assert not any(code.startswith(("senior_", "voc_")) for code in offered)
