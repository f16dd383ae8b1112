"""The public form: by anybody, with no sign-in, session, cookie or script; what is refused keeps what was typed."""

import io
import logging
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from approvals.notices import actions as notices
from approvals.notices.models import Attempt, Notice, Objection, SealedIdentity, UsedQuestion
from approvals.notices.objections import actions, captcha, limits, receipts
from tests.approvals.notices.objections.conftest import REPLY, Scene
from tests.factories import set_training_date
from workflows import Reason
from workflows.background import run_due

TEXT = "他家在县城开店，去年买了新车，不算困难。"
OVER = date(2026, 9, 15)


def address(notice: Notice) -> str:
    return reverse("public:object", args=[notice.public_id])


def text(response: Any) -> str:
    return response.content.decode()


def answered(notice: Notice, **changes: Any) -> dict[str, Any]:
    """A form as a person fills it in."""
    question = captcha.ask(notice.public_id)
    right = next(number for number in range(20) if question.is_answer(str(number)))
    return {
        "line": "1", "ground": "not_in_hardship", "statement": TEXT, "who": "anonymous", "name": "", "contact": "",
        "to": "office", "answer": str(right), "token": question.token,
    } | changes  # fmt: skip


def send(client: Client, notice: Notice, **changes: Any) -> Any:
    return client.post(address(notice), answered(notice, **changes))


def picture() -> SimpleUploadedFile:
    made = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(made, "JPEG")
    return SimpleUploadedFile("车.jpg", made.getvalue(), "image/jpeg")


# ---------------------------------------------------------------- for everybody


def test_anybody_objects_and_is_given_a_receipt_once(scene: Scene, client: Client) -> None:
    page = client.get(address(scene.notice))
    assert page.status_code == 200
    for forbidden in ("<script", "csrfmiddlewaretoken"):
        assert forbidden not in text(page)
    assert page["Cache-Control"] == "no-store"
    done = send(client, scene.notice)
    assert done.status_code == 200
    assert not page.cookies
    assert not done.cookies
    objection = Objection.objects.get()
    assert (objection.line, objection.ground, objection.named) == (scene.line(), "not_in_hardship", False)
    assert objection.statement == TEXT
    number = text(done).split('class="receipt-number">')[1].split("<")[0]
    assert bytes(objection.receipt_hash) == receipts.index(receipts.read(number))


def test_the_public_list_leads_to_the_form_for_each_line(scene: Scene, client: Client) -> None:
    page = text(client.get(reverse("public:notice", args=[scene.notice.public_id])))
    assert f'href="{address(scene.notice)}"' in page
    assert f'href="{address(scene.notice)}?line=2"' in page
    assert 'value="2"' in text(client.get(f"{address(scene.notice)}?line=2"))


def test_the_form_reads_in_english(scene: Scene, client: Client) -> None:
    page = client.get(f"{address(scene.notice)}?lang=en")
    assert "Object to this list" in text(page)
    assert "What is" in text(page)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"line": "9"}, "名单中没有第9号"),
        ({"line": "第一号"}, "名单中没有第"),
        ({"ground": ""}, "必填"),
        ({"statement": "不行"}, "至少"),
        ({"statement": "很" * 3001}, "最多"),
        ({"who": ""}, "必填"),
        ({"who": "named", "name": "刘大海"}, "请填写，或选择匿名"),
        ({"who": "anonymous", "contact": "修车铺"}, "您选择了匿名，却填写了姓名或联系方式"),
        ({"answer": "99"}, "答案不对"),
        ({"answer": ""}, "必填"),
        ({"token": "forged:1:2"}, "问题已过时"),
        ({"token": ""}, "问题已过时"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    scene: Scene, client: Client, changes: dict[str, str], sentence: str
) -> None:
    done = send(client, scene.notice, **changes)
    assert done.status_code == 422
    assert sentence in text(done)
    assert changes.get("statement", TEXT)[:3000] in text(done)
    assert not Objection.objects.exists()
    assert scene.line().state == "listed"


def test_a_line_of_another_notice_or_one_taken_off_is_refused_with_a_sentence(scene: Scene, client: Client) -> None:
    notices.withdraw_line(
        scene.line(3).pk, scene.place.reviewer, Reason("line_withdrawn", "该生已转学，重新核实学籍。")
    )
    done = send(client, scene.notice, line="3")
    assert "第3号已从名单移除" in text(done)
    assert TEXT in text(done)
    again = scene.place.published(1)
    assert "名单中没有第2号" in text(send(client, again, line="2"))


@pytest.mark.parametrize("how", ["over", "voided", "draft"])
def test_what_is_not_on_notice_says_so_and_keeps_what_was_typed(scene: Scene, client: Client, how: str) -> None:
    if how == "over":
        set_training_date(OVER)
    if how == "voided":
        notices.void(scene.notice.pk, scene.head, Reason("wrong_list", "名单里缺了两个班级，请重新拟稿。"))
    if how == "draft":
        scene.place.applications(1)
        draft = scene.place.draft()
        assert client.get(address(draft)).status_code == 404
        return
    asked, sent = client.get(address(scene.notice)), send(client, scene.notice)
    assert asked.status_code == sent.status_code == 410
    sentence = "本公示期已满，不能再提出异议" if how == "over" else "本公示已作废，不能再提出异议"
    assert sentence in text(asked)
    assert sentence in text(sent)
    assert TEXT in text(sent)
    assert (scene.notice.title in text(sent)) == (how == "over")
    assert not Objection.objects.exists()


# ---------------------------------------------------------------- the question


def test_a_right_answer_is_taken_in_any_digits_and_in_words() -> None:
    for _ in range(50):
        question = captcha.ask("n")
        answers = [number for number in range(20) if question.is_answer(str(number))]
        assert len(answers) == 1
        wide = str(answers[0]).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
        assert question.is_answer(f" {wide} ")
        assert question.is_answer(captcha._WORDS["zh-hans"][answers[0]])
        assert question.is_answer(captcha._WORDS["en"][answers[0]].upper())
        assert not question.is_answer("")


def test_a_question_belongs_to_its_notice_and_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    question = captcha.ask("one")
    assert captcha.asked(question.token, "one") == question
    assert captcha.asked(question.token, "other") is None
    monkeypatch.setattr(captcha, "GOOD_FOR", -1)
    assert captcha.asked(question.token, "one") is None


def test_a_script_without_an_answer_sends_nothing(scene: Scene, client: Client) -> None:
    for sent in ({}, {"statement": TEXT, "ground": "other"}):
        assert client.post(address(scene.notice), sent).status_code == 422
    assert not Objection.objects.exists()


def test_an_answer_is_used_once_and_a_wrong_one_uses_the_question_up(scene: Scene, client: Client) -> None:
    form = answered(scene.notice)
    assert client.post(address(scene.notice), form).status_code == 200
    again = client.post(address(scene.notice), form | {"line": "2"})
    assert again.status_code == 422
    assert "此表已提交过" in text(again)
    assert Objection.objects.count() == 1
    form = answered(scene.notice)
    assert client.post(address(scene.notice), form | {"answer": "99"}).status_code == 422
    assert client.post(address(scene.notice), form).status_code == 422
    assert Objection.objects.count() == 1


def test_after_a_wrong_answer_the_question_on_the_page_is_the_new_one(scene: Scene, client: Client) -> None:
    form = answered(scene.notice)
    for _ in range(3):
        page = text(client.post(address(scene.notice), form | {"answer": "99"}))
        form["token"] = page.partition('name="token" value="')[2].partition('"')[0]
        question = captcha.asked(form["token"], scene.notice.public_id)
        assert question is not None
        assert question.words in page
    form["answer"] = next(str(number) for number in range(20) if question.is_answer(str(number)))
    assert client.post(address(scene.notice), form).status_code == 200


def test_a_form_that_lacks_something_else_need_not_be_answered_twice(scene: Scene, client: Client) -> None:
    form = answered(scene.notice)
    lacking = client.post(address(scene.notice), form | {"ground": ""})
    assert form["token"] in text(lacking)
    assert client.post(address(scene.notice), form).status_code == 200


# ---------------------------------------------------------------- limits


def test_a_place_that_sends_too_much_is_told_so_and_keeps_what_it_typed(
    scene: Scene, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.AN_HOUR, "sent", 2)
    for _ in range(2):
        assert send(client, scene.notice).status_code == 200
    third = send(client, scene.notice)
    assert third.status_code == 429
    assert "次数过多" in text(third)
    assert TEXT in text(third)
    elsewhere = Client(REMOTE_ADDR="192.0.2.9")
    assert send(elsewhere, scene.notice).status_code == 200


def test_wrong_answers_are_counted_too(scene: Scene, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.AN_HOUR, "wrong", 2)
    for _ in range(2):
        assert send(client, scene.notice, answer="99").status_code == 422
    assert send(client, scene.notice).status_code == 429


def test_addresses_are_looked_for_behind_trusted_proxies_only_and_never_kept(
    scene: Scene, settings: Any, rf: Any
) -> None:
    from ipaddress import ip_network

    direct = rf.get("/", REMOTE_ADDR="198.51.100.7", headers={"X-Forwarded-For": "203.0.113.5"})
    plain = limits.origin(rf.get("/", REMOTE_ADDR="198.51.100.7"))
    assert limits.origin(direct) == plain
    settings.TRUSTED_PROXIES = [ip_network("198.51.100.0/24")]
    assert limits.origin(direct) == limits.origin(rf.get("/", REMOTE_ADDR="203.0.113.5"))
    near = [limits.origin(rf.get("/", REMOTE_ADDR=f"2001:db8:1:1::{tail}")) for tail in (1, 2)]
    assert near[0] == near[1] != limits.origin(rf.get("/", REMOTE_ADDR="2001:db8:1:2::1"))
    assert send(Client(REMOTE_ADDR="203.0.113.77"), scene.notice).status_code == 200
    assert b"203.0.113.77" not in b"".join(bytes(row.origin) for row in Attempt.objects.all())


def test_what_the_limits_remember_is_forgotten_after_a_day(scene: Scene, client: Client) -> None:
    send(client, scene.notice)
    assert run_due() >= 0
    assert Attempt.objects.count() == 2
    for model in (Attempt, UsedQuestion):
        model.objects.update(at="2026-01-01T08:00+08:00")
    run_due()
    assert not Attempt.objects.exists()
    assert not UsedQuestion.objects.exists()


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "photo"])
def test_ten_megabytes_are_refused_with_a_sentence(scene: Scene, client: Client, kind: str) -> None:
    form = answered(scene.notice, statement="很" * 10 * 1024 * 1024 if kind != "photo" else TEXT)
    if kind == "photo":
        form["paper"] = SimpleUploadedFile("大.jpg", b"x" * 12 * 1024 * 1024, "image/jpeg")
        done = client.post(address(scene.notice), form)
    elif kind == "multipart":
        form["statement"] = "x" * 10 * 1024 * 1024
        done = client.post(address(scene.notice), form)
    else:
        from urllib.parse import urlencode

        body = urlencode({**form, "statement": "x" * 10 * 1024 * 1024})
        done = client.post(address(scene.notice), body, content_type="application/x-www-form-urlencoded")
    assert done.status_code == 413
    assert "一次提交的内容太多" in text(done)
    assert not done.cookies
    assert not Objection.objects.exists()


# ---------------------------------------------------------------- what is added


def test_a_photo_is_made_anew_and_kept_sealed(scene: Scene, client: Client, settings: Any) -> None:
    assert send(client, scene.notice, paper=picture()).status_code == 200
    sealed = SealedIdentity.objects.get()
    assert sealed.content_type == "image/jpeg"
    [kept] = [file for file in settings.MEDIA_ROOT.rglob("*") if file.is_file()]
    assert not kept.read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize("wrong", ["no_paper", "too_old"])
def test_what_is_refused_keeps_no_file(scene: Scene, client: Client, settings: Any, wrong: str) -> None:
    paper = SimpleUploadedFile("单.jpg", b"MZ program", "image/jpeg") if wrong == "no_paper" else picture()
    done = send(client, scene.notice, paper=paper, line="9")
    assert done.status_code == 422
    assert [file for file in settings.MEDIA_ROOT.rglob("*") if file.is_file()] == []


# ---------------------------------------------------------------- nothing of it elsewhere


def test_nothing_typed_reaches_a_log_or_an_address(
    scene: Scene, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _objection, digits = scene.sent()
    assert send(client, scene.notice, who="named", name="刘大海", contact="修车铺").status_code == 200
    assert client.post(reverse("public:follow"), {"receipt": digits}).status_code == 200
    for typed in ("刘大海", "修车铺", "新车", digits, receipts.shown(digits)):
        assert typed not in caplog.text


# ---------------------------------------------------------------- following it


def test_with_the_receipt_number_its_state_and_reply_are_read_and_nothing_of_anybody(
    scene: Scene, client: Client
) -> None:
    objection, digits = scene.sent(name="刘大海", contact="修车铺")
    pupil = scene.line().case.application.student.name
    url = reverse("public:follow")

    def page() -> str:
        done = client.post(url, {"receipt": receipts.shown(digits)})
        assert done.status_code == 200
        assert done["Cache-Control"] == "no-store"
        shown = text(done)
        for secret in ("刘大海", "修车铺", "新车", pupil, scene.teacher.name, scene.head.name):
            assert secret not in shown
        return shown

    assert "已收到" in page()
    actions.accept(objection.pk, scene.head)
    assert "已受理" in page()
    actions.assign(objection.pk, scene.teacher.user_id, scene.head)
    assert "调查中" in page()
    actions.decide(objection.pk, scene.teacher, "dismissed", REPLY)
    told = page()
    assert REPLY in told
    assert "异议不成立" in told
    assert "2026年9月10日" in told
    done = client.post(reverse("public:appeal"), {"receipt": digits, "text": "核实时没有问过邻居，请再核实。"})
    assert "已申请复核" in text(done)
    assert Objection.objects.get().state == "appealed"
    actions.assign(objection.pk, scene.clerk.user_id, scene.leader)
    actions.decide(objection.pk, scene.clerk, "dismissed", REPLY + "本答复为最终答复。")
    assert "本答复为最终答复" in page()


def test_why_it_was_not_accepted_is_read_too(scene: Scene, client: Client) -> None:
    objection, digits = scene.sent()
    actions.not_accept(objection.pk, scene.head, Reason("no_facts", "没有说明可以核实的具体事实，请补充后再提。"))
    assert "没有说明可以核实的具体事实" in text(client.post(reverse("public:follow"), {"receipt": digits}))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [("", "必填"), ("1234", "共12位数字"), ("402177359269", "共12位数字"), ("no", "没有此回执号")],
)
def test_a_wrong_number_says_what_is_wrong(scene: Scene, client: Client, given: str, sentence: str) -> None:
    receipt = receipts.new() if given == "no" else given
    for url in (reverse("public:follow"), reverse("public:appeal")):
        done = client.post(url, {"receipt": receipt, "text": "核实时没有问过邻居，请再核实。"})
        assert done.status_code == 422
        assert sentence in text(done)


def test_numbers_are_not_tried_out(scene: Scene, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.AN_HOUR, "receipt", 3)
    for _ in range(3):
        assert client.post(reverse("public:follow"), {"receipt": receipts.new()}).status_code == 422
    _objection, digits = scene.sent()
    assert client.post(reverse("public:follow"), {"receipt": digits}).status_code == 429


def test_an_appeal_too_short_or_too_late_keeps_what_was_typed(scene: Scene, client: Client) -> None:
    objection, digits = scene.sent()
    actions.accept(objection.pk, scene.head)
    actions.assign(objection.pk, scene.teacher.user_id, scene.head)
    actions.decide(objection.pk, scene.teacher, "dismissed", REPLY)
    short = client.post(reverse("public:appeal"), {"receipt": digits, "text": "不对"})
    assert short.status_code == 422
    assert "不对" in text(short)
    set_training_date(OVER)
    late = client.post(reverse("public:appeal"), {"receipt": digits, "text": "核实时没有问过邻居，请再核实。"})
    assert late.status_code == 422
    assert "期限已于2026-09-10届满" in text(late)


def test_a_receipt_number_is_read_as_people_write_it() -> None:
    digits = receipts.new()
    wide = digits.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    for written in (digits, receipts.shown(digits), wide, "-".join((digits[:4], digits[4:8], digits[8:]))):
        assert receipts.read(written) == digits
    for at in range(12):
        wrong = digits[:at] + str((int(digits[at]) + 1) % 10) + digits[at + 1 :]
        assert receipts.read(wrong) == ""
