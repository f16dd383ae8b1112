"""The rest of the public site: policies, self-check, results, explanation, feed, map; and what holds for every page."""

import re
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse

from approvals.notices import actions, totals
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.site.self_check import FIELDS
from approvals.organisations.actions import load_organisations
from approvals.programmes.actions import load_programmes
from approvals.programmes.models import Programme, ProgrammeVersion
from approvals.programmes.rules import FACTS
from project.templatetags.zhuxue import step_name
from tests.approvals.notices.conftest import Place
from tests.factories import (
    SchoolFactory,
    StudentFactory,
    VersionFactory,
    acting,
    at_step,
    person,
    set_training_date,
    walk_to,
)
from workflows.background import run_due

ATOM = "{http://www.w3.org/2005/Atom}"


def text(response: Any) -> str:
    return response.content.decode()


def got(client: Client, name: str, *args: str, **query: str) -> str:
    response = client.get(reverse(f"public:{name}", args=args), query)
    assert response.status_code == 200
    return text(response)


@pytest.fixture
def county(db: None) -> None:
    set_training_date()
    load_organisations()
    load_programmes()


PAGES = [
    ("notices", []), ("explanation", []), ("policies", []), ("policy", ["living_subsidy_day"]),
    ("self_check", ["living_subsidy_day"]), ("results", []), ("announcements", []), ("feed", []), ("sitemap", []),
    ("heads", []),
]  # fmt: skip


# ---------------------------------------------------------------- every page


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(("name", "args"), PAGES)
def test_every_page_is_for_everybody_without_session_cookie_or_script(
    county: None, client: Client, name: str, args: list[str], language: str
) -> None:
    client.cookies["django_language"] = "en" if language == "zh-hans" else "zh-hans"  # not asked
    response = client.get(reverse(f"public:{name}", args=args), {"lang": language})
    assert response.status_code == 200
    assert response["Content-Language"] == language
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")
    assert "script-src" not in response["Content-Security-Policy"]
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["Content-Length"] == str(len(response.content))
    page = text(response)
    assert "<script" not in page
    assert "csrfmiddlewaretoken" not in page
    assert not re.search(r"<[^>]+ (style|on\w+)=", page)
    again = client.get(
        reverse(f"public:{name}", args=args), {"lang": language}, headers={"If-None-Match": response["ETag"]}
    )
    assert again.status_code == 304


def test_what_is_not_there_is_said_in_the_frame_of_the_site(county: None, client: Client) -> None:
    for name, args in (("notice", ["0" * 16]), ("policy", ["no_such"]), ("announcement", ["0" * 16])):
        response = client.get(reverse(f"public:{name}", args=args))
        assert response.status_code == 404
        assert "这个地址" in text(response)
        assert not response.cookies
        assert "noindex" in response["X-Robots-Tag"]


def test_search_engines_are_shown_what_the_map_names_and_nothing_else(
    county: None, school_place: Place, client: Client
) -> None:
    notice = school_place.published()
    tree = ElementTree.fromstring(got(client, "sitemap"))
    mapped = [loc.text.removeprefix("http://testserver") for loc in tree.iter() if loc.tag.endswith("loc") and loc.text]
    assert reverse("public:policy", args=["senior_state_grant"]) in mapped
    for path in mapped:
        response = client.get(path)
        assert response["X-Robots-Tag"] == "index, nofollow, noarchive"
        assert '<meta name="robots" content="index, nofollow, noarchive">' in text(response)
        assert _may_fetch(client, path)
    hidden = [reverse("public:notice", args=[notice.public_id]), reverse("public:results"), reverse("public:feed")]
    for path in hidden:
        assert path not in mapped
        assert "noindex" in client.get(path)["X-Robots-Tag"]
        assert not _may_fetch(client, path)


def _may_fetch(client: Client, path: str) -> bool:
    """As engines read robots.txt: the longest rule wins; $ ends an address."""
    rules = re.findall(r"^(Allow|Disallow): (.+)$", text(client.get("/robots.txt")), re.M)
    found = [
        (len(rule), kind)
        for kind, rule in rules
        if (path == rule[:-1] if rule.endswith("$") else path.startswith(rule))
    ]
    return max(found)[1] == "Allow"


# ---------------------------------------------------------------- finding by number, names by level


def test_a_line_is_found_by_its_number(school_place: Place, client: Client) -> None:
    notice = school_place.published(12)
    page = reverse("public:notice", args=[notice.public_id])
    for words in ("2", "２", " 2 ", "0002"):
        found = re.search(r'class="found".*?</table>', text(client.post(page, {"name": words})), re.S)
        assert found is not None
        assert re.findall(r"<tr>\s*<td>(\d+)</td>", found[0]) == ["2"]
    for words in ("13", "0", "9" * 49, "2x"):
        assert "没有这个姓名或序号" in text(client.post(page, {"name": words}))


def test_a_number_taken_off_is_not_found(school_place: Place, client: Client) -> None:
    notice = school_place.published(3)
    NoticeLine.objects.filter(notice=notice, number=2).update(state="removed")
    page = reverse("public:notice", args=[notice.public_id])
    assert "没有这个姓名或序号" in text(client.post(page, {"name": "2"}))


def test_names_are_whole_in_the_school_and_hidden_in_part_beyond_it(
    school_place: Place, county_place: Place, client: Client
) -> None:
    for place, shown in ((school_place, True), (county_place, False)):
        place.applications(1, name="欧阳小禾")
        notice = place.published(0)
        page = text(client.get(reverse("public:notice", args=[notice.public_id])))
        assert ("欧阳小禾" in page) is shown
        assert ("欧**" in page) is not shown


def test_every_programme_hides_names_beyond_the_school(county: None) -> None:
    rules = [(step, rule) for version in ProgrammeVersion.objects.all() for step, rule in version.rules.notices.items()]
    assert rules
    for step, rule in rules:
        assert rule.mask_names is (step not in ("class_notice", "school_notice")), step


# ---------------------------------------------------------------- policies and self-check


def test_a_policy_page_says_all_of_its_definition(county: None, client: Client) -> None:
    page = got(client, "policy", "living_subsidy_day")
    for part in (
        "312.50", "250.00", "2024年春季学期", "据转载", "2026年9月1日", "不在校寄宿。", "不少于5个工作日", "户口簿",
        "（10个工作日内）", step_name("county_review"), "序号、学校、年级、班级、姓名、资助项目",
        "姓名作部分隐去", "向资助专干领取", reverse("public:self_check", args=["living_subsidy_day"]),
    ):  # fmt: skip
        assert part in page, part
    for programme in Programme.objects.all():
        assert programme.name in got(client, "policies")
        assert programme.name_en in got(client, "policy", programme.pk, lang="en")


def test_every_fact_that_rules_may_ask_for_has_its_question() -> None:
    assert set(FIELDS) == set(FACTS)


def checked(client: Client, code: str, **answers: Any) -> str:
    response = client.post(reverse("public:self_check", args=[code]), answers)
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies
    return text(response)


def verdicts(page: str) -> list[str]:
    said = re.search(r'<ul class="said">.*?</ul>', page, re.S)
    assert said is not None
    return re.findall(r'class="badge badge-(good|warn|bad)"', said[0])


def test_answers_are_judged_by_the_rules_of_the_programme(county: None, client: Client) -> None:
    answers = {"stage": "primary", "boarder": "no", "special_groups": ["dibao"], "level": "moderate",
               "register_category": "dibao"}  # fmt: skip
    page = checked(client, "living_subsidy_day", **answers)
    assert verdicts(page) == ["good"] * 5
    assert "属于非寄宿生补助的特殊群体（低保）。" in page
    page = checked(client, "living_subsidy_day", **answers | {"boarder": "yes"})
    assert verdicts(page) == ["good", "bad", "good", "good", "good"]
    assert "该生在校寄宿，应按寄宿生申请。" in page


def test_what_is_not_answered_is_not_known_and_never_a_no(county: None, client: Client) -> None:
    page = checked(client, "living_subsidy_day")
    assert verdicts(page) == ["warn"] * 5
    assert "是否寄宿不明。" in page


def test_none_of_these_is_an_answer(county: None, client: Client) -> None:
    page = checked(client, "living_subsidy_day", special_groups=["-"], level="-")
    assert verdicts(page) == ["warn", "warn", "bad", "bad", "good"]


def test_amounts_and_schools_are_judged_too(county: None, client: Client) -> None:
    grant = checked(client, "senior_state_grant", stage="senior", level="severe", amount_fen="750.00")
    assert verdicts(grant)[2] == "bad"
    grant = checked(client, "senior_state_grant", stage="senior", level="severe", amount_fen="1150.00")
    assert verdicts(grant)[2] == "good"
    waiver = {"school_code": "3413049990", "register_category": "-", "verified": "yes"}
    assert verdicts(checked(client, "tuition_waiver_registered", **waiver)) == ["good", "bad", "good", "good"]
    assert verdicts(checked(client, "tuition_waiver_registered", school_code="-"))[0] == "bad"


@pytest.mark.parametrize(
    "wrong", [{"stage": "'; DROP"}, {"boarder": "maybe"}, {"special_groups": ["dibao", "x"]}, {"level": "<b>"}]
)
def test_an_answer_that_was_not_offered_is_refused_with_what_was_typed_kept(
    county: None, client: Client, wrong: dict[str, Any]
) -> None:
    response = client.post(reverse("public:self_check", args=["living_subsidy_day"]), {"stage": "primary"} | wrong)
    assert response.status_code == 422
    assert 'role="alert"' in text(response)
    assert '<ul class="said">' not in text(response)


def test_the_self_check_says_that_it_decides_nothing_and_works_without_a_token(county: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    page = checked(strict, "living_subsidy_boarder", stage="primary")
    assert "自查不作任何决定" in page
    assert "不是决定，也不是承诺" in page
    english = text(strict.post(reverse("public:self_check", args=["living_subsidy_boarder"]) + "?lang=en", {}))
    assert "This decides nothing" in english
    assert "It is not known whether the pupil boards." in english


# ---------------------------------------------------------------- results


def concluded(place: Place, count: int) -> list[Any]:
    """Applications whose notice has concluded and which were approved."""
    applications = place.applications(count)
    notice = place.draft(*(each.case_id for each in applications))
    actions.submit(notice.pk, place.author)
    actions.publish(notice.pk, place.signer, privacy_checked=True, sealed=True)
    Notice.objects.filter(pk=notice.pk).update(ends_on="2026-09-06")
    run_due()
    for each in applications:
        walk_to("payment", each)
    return applications


def test_results_are_counted_by_school_and_programme_once_approved(school_place: Place, client: Client) -> None:
    pupils = concluded(school_place, 6)
    [cell] = totals.cells()
    assert (cell.school, cell.count, cell.amount) == (school_place.school.code, 6, Decimal("3750.00"))
    page = got(client, "results")
    assert school_place.school.name in page
    assert "3,750.00" in page
    assert "2026年秋季学期" in page
    assert not any(each.student.name in page for each in pupils)


def test_what_is_still_on_notice_or_not_decided_is_no_result(school_place: Place, client: Client) -> None:
    at_step("payment", school=school_place.school, version=school_place.version)  # never on a notice of ours
    school_place.published(6)
    assert totals.cells() == []
    assert "这里还没有结果" in got(client, "results")


def test_fewer_than_five_are_given_neither_as_a_number_nor_as_an_amount_nor_by_a_total(
    school_place: Place, client: Client
) -> None:
    concluded(school_place, 6)
    other = SchoolFactory(name="鸡泽县示例小小学")
    small = Place(
        step="school_notice", office=other, school=other, author=school_place.author, signer=school_place.signer,
        reviewer=school_place.reviewer, version=school_place.version,
    )  # fmt: skip
    for each in concluded_at(small, 4):
        assert each.school_id == other.pk
    cells = {cell.school: (cell.count, cell.amount) for cell in totals.cells()}
    assert cells == {school_place.school.code: (6, Decimal("3750.00")), other.code: (None, None)}
    sum_of_all = totals.total("", totals.cells())
    assert (sum_of_all.count, sum_of_all.amount, sum_of_all.hidden) == (6, Decimal("3750.00"), 1)
    page = got(client, "results")
    assert "少于5" in page
    assert "另有1项人数较少，未计入" in page
    assert "10</" not in page
    alone = got(client, "results", school=other.code)
    assert "少于5" in alone
    assert "3,750.00" not in alone


def concluded_at(place: Place, count: int) -> list[Any]:
    """The same, by people who hold posts at that school."""

    place.author, place.signer = (
        acting(person("aid_officer", place.office)),
        acting(person("school_head", place.office)),
    )
    return concluded(place, count)


def test_nobody_and_everybody_are_no_secret_of_anybody() -> None:
    assert [totals.shown_count(count) for count in (0, 1, 4, 5, 600)] == [0, None, None, 5, 600]


def test_results_are_filtered_and_an_unknown_term_is_the_latest(school_place: Place, client: Client) -> None:
    concluded(school_place, 5)
    assert "3,125.00" in got(client, "results", term="nonsense", programme=school_place.version.programme_id)
    assert "3,125.00" not in got(client, "results", programme="none")


# ---------------------------------------------------------------- explanation, feed


def test_the_explanation_is_linked_from_start_page_and_notice(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    for page in (got(client, "notices"), got(client, "notice", notice.public_id)):
        assert reverse("public:explanation") in page
    page = got(client, "explanation")
    for part in ("5个工作日", "绝不列出", "县学生资助管理中心", "0310-0000000"):
        assert part in page


def test_the_feed_names_title_office_period_and_address_and_nobody(school_place: Place, client: Client) -> None:
    school_place.applications(1, name="赵一苗")
    notice = school_place.published(2)
    raw = got(client, "feed")
    [entry] = ElementTree.fromstring(raw).findall(f"{ATOM}entry")
    link = entry.find(f"{ATOM}link")
    assert entry.findtext(f"{ATOM}title") == notice.title
    assert link is not None
    assert link.get("href") == f"http://testserver/public/notices/{notice.public_id}/"
    assert "2026年9月14日" in (entry.findtext(f"{ATOM}summary") or "")
    assert school_place.school.name in raw
    for line in notice.lines.all():
        assert line.shown["姓名"] not in raw


def test_addresses_are_the_ones_the_office_has_set(school_place: Place, client: Client, settings: Any) -> None:
    settings.PUBLIC_URL = "https://gongshi.example"
    notice = school_place.published()
    assert f"https://gongshi.example/public/notices/{notice.public_id}/" in got(client, "feed")
    assert "<loc>https://gongshi.example/public/</loc>" in got(client, "sitemap")


def test_a_code_on_paper_leads_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    import segno

    from approvals.notices import paper

    made: list[str] = []
    draw = segno.make
    monkeypatch.setattr(paper.segno, "make", lambda content, **how: made.append(content) or draw(content, **how))
    drawing = paper.code_of("https://gongshi.example/public/notices/0123456789abcdef/")
    assert made == ["https://gongshi.example/public/notices/0123456789abcdef/"]
    assert drawing.startswith("<svg")


def test_a_name_of_another_programme_stands_in_no_address(county: None, client: Client) -> None:
    student = StudentFactory(name="赵一苗", school=SchoolFactory())
    at_step("draft", school=student.school, student=student, version=VersionFactory())
    for name, args in PAGES:
        assert "赵一苗" not in got(client, name, *args)
