"""The pages of awards: who sees and does what, and what is said when something cannot be done."""

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from approvals.awards import actions
from approvals.awards.models import AwardInstalment, AwardProposal, EnrolmentEvent, EventList
from tests.approvals.awards.conftest import WHY, Office, done, fresh
from tests.approvals.awards.test_across_terms import corrected, repayment
from tests.factories import FIRST_DAY, TERM, id_number

pytestmark = pytest.mark.django_db
DAY = FIRST_DAY.isoformat()


def at(who: Any) -> Client:
    client = Client()
    client.force_login(who.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(response: Any) -> str:
    return response.content.decode()


def test_the_list_is_filtered_by_school_programme_term_and_state(office: Office) -> None:
    award = office.award()
    client = at(office.reviewer)
    address = reverse("awards:list")
    link = reverse("awards:detail", args=[award.pk])
    for wanted, shown in (
        ({}, True), ({"term": TERM}, True), ({"term": "2020-2021-1"}, False), ({"state": "active"}, True),
        ({"state": "suspended"}, False), ({"school": str(award.school_id)}, True), ({"school": "0"}, False),
        ({"programme": award.programme}, True), ({"programme": "other"}, False),
    ):  # fmt: skip
        assert (link in text(client.get(address, wanted))) is shown, wanted
    assert link not in text(at(office.receiver).get(address))


def test_the_page_of_an_award_shows_terms_payments_and_what_waits(office: Office) -> None:
    award = office.award()
    batch = office.pay()
    office.propose(award, "suspend", "leave")
    page = text(at(office.officer).get(reverse("awards:detail", args=[award.pk])))
    for words in ("625.00", batch.number, "提出暂停", WHY, "待县级确认"):
        assert words in page
    assert at(office.receiver).get(reverse("awards:detail", args=[award.pk])).status_code == 404
    case = text(at(office.officer).get(reverse("review:case", args=[award.case_id])))
    assert reverse("awards:detail", args=[award.pk]) in case


def test_the_school_proposes_on_the_page_and_the_county_confirms_in_the_queue(office: Office) -> None:
    award = office.award()
    address = reverse("awards:propose", args=[award.pk])
    typed = {"change": "suspend leave", "effective_on": DAY, "text": "短"}
    response = at(office.officer).post(address, typed)
    assert response.status_code == 422
    assert "短" in text(response)
    assert at(office.officer).post(address, typed | {"text": WHY}).status_code == 302
    proposal = AwardProposal.objects.get()
    queue = text(at(office.reviewer).get(reverse("awards:proposals")))
    assert f'value="{proposal.pk}"' in queue
    assert f'value="{proposal.pk}"' not in text(at(office.second).get(reverse("awards:proposals")))
    decide = reverse("awards:decide")
    assert at(office.reviewer).post(decide, {"answer": "decline", "proposal": proposal.pk}).status_code == 422
    response = at(office.reviewer).post(decide, {"answer": "confirm", "proposal": proposal.pk}, follow=True)
    assert "已办理 1 项" in text(response)
    assert fresh(award).state == "suspended"
    again = at(office.reviewer).post(decide, {"answer": "confirm", "proposal": proposal.pk}, follow=True)
    assert "这项变动已不在这一步" in text(again)
    assert "休学" in text(at(office.officer).get(reverse("awards:proposals"), {"view": "done"}))


def test_whoever_had_a_hand_in_it_is_told_that_another_must_confirm(office: Office) -> None:
    office.propose(office.award(), "terminate", "dropout")
    done(actions.confirm([AwardProposal.objects.get().pk], office.reviewer))
    page = text(at(office.second).get(reverse("awards:proposals")))
    assert "待第二人复核" in page
    assert "data-bulk" in page
    assert "data-bulk" not in text(at(office.reviewer).get(reverse("awards:proposals")))


def test_the_auditor_holds_and_releases_on_the_page(office: Office) -> None:
    award = office.award()
    address = reverse("awards:audit", args=[award.pk])
    assert at(office.reviewer).post(address, {"reason": WHY}).status_code == 403
    assert at(office.auditor).post(address, {"reason": ""}).status_code == 422
    assert at(office.auditor).post(address, {"reason": WHY, "act": "hold"}).status_code == 302
    assert "审计暂停" in text(at(office.auditor).get(reverse("awards:detail", args=[award.pk])))
    assert at(office.auditor).post(address, {"reason": WHY, "act": "release"}).status_code == 302
    assert fresh(award).state == "active"


def test_an_event_is_recorded_by_id_number(office: Office) -> None:
    award = office.award()
    address = reverse("awards:record")
    typed = {
        "school": office.school.pk, "id_number": id_number(date(2012, 3, 5), 999), "kind": "leave", "day": DAY,
        "remark": "随父母",
    }  # fmt: skip
    client = at(office.officer)
    response = client.post(address, typed)
    assert response.status_code == 422
    assert "没有这个身份证号的学生" in text(response)
    assert "随父母" in text(response)
    typed["id_number"] = str(award.student.id_number)
    assert client.post(address, typed | {"kind": "transfer"}).status_code == 422
    response = client.post(address, typed, follow=True)
    assert "已登记 1 条新的学籍变动，1 项资格变动待办理" in text(response)
    assert client.post(address, typed).status_code == 422
    page = text(client.get(reverse("awards:events")))
    assert award.student.name in page
    assert str(award.student.id_number) not in page
    assert at(office.reviewer).get(address).status_code == 403


def test_a_list_is_shown_with_its_problems_before_it_is_taken_over(office: Office) -> None:
    award = office.award()
    content = f"姓名,身份证号,异动类型,异动日期\n某,{award.student.id_number},休学,{DAY}\n某,1304,休学,{DAY}\n".encode()
    client = at(office.officer)
    file = SimpleUploadedFile("异动.csv", content)
    response = client.post(reverse("awards:upload"), {"school": office.school.pk, "file": file}, follow=True)
    kept = EventList.objects.get()
    assert "身份证号" in text(response)
    assert f"登记 {kept.valid} 行" in text(response)
    assert at(office.receiver).get(reverse("awards:event_list", args=[kept.pk])).status_code == 404
    client.post(reverse("awards:answer_list", args=[kept.pk, "confirm"]))
    assert EnrolmentEvent.objects.count() == 1
    assert client.get(reverse("awards:answer_list", args=[kept.pk, "confirm"])).status_code == 405
    bad = SimpleUploadedFile("坏.csv", b"")
    assert client.post(reverse("awards:upload"), {"school": office.school.pk, "file": bad}).status_code == 422
    assert client.get(reverse("awards:template")).status_code == 200


def test_proofs_are_recorded_and_confirmed_on_the_page(office: Office) -> None:
    award = office.award(repayment())
    part = AwardInstalment.objects.get(term__award=award, number=1)
    address = reverse("awards:proof", args=[part.pk])
    assert at(office.officer).post(address, {"text": "短"}).status_code == 422
    assert at(office.officer).post(address, {"text": WHY}).status_code == 302
    assert "确认证明" in text(at(office.reviewer).get(reverse("awards:detail", args=[award.pk])))
    at(office.reviewer).post(address, {"act": "confirm"})
    part.refresh_from_db()
    assert part.confirmed_by == office.reviewer.user


def test_a_letter_goes_with_a_pupil_who_leaves_the_county(office: Office) -> None:
    award = office.award()
    address = reverse("awards:letter", args=[award.pk])
    assert at(office.officer).get(address).status_code == 404
    proposal = office.propose(award, "transfer", "transfer", goal=actions.Goal(None, "邯郸市某小学"))
    done(actions.confirm([proposal], office.reviewer))
    page = text(at(office.officer).get(address))
    assert "邯郸市某小学" in page
    assert str(award.student.id_number) not in page


def test_corrected_rates_are_taken_over_on_the_page_of_differences(office: Office) -> None:
    office.award()
    office.pay()
    corrected(office, "750.00")
    address = reverse("awards:differences")
    assert "按新标准核算" in text(at(office.second).get(address))
    assert "按新标准核算" not in text(at(office.reviewer).get(address))
    sent = {"programme": office.version.programme_id, "term": TERM}
    assert at(office.reviewer).post(reverse("awards:correct"), sent).status_code == 403
    assert "125.00" in text(at(office.second).post(reverse("awards:correct"), sent, follow=True))


def test_every_page_is_there_in_english(office: Office) -> None:
    award = office.award()
    office.propose(award, "suspend", "leave")
    client = at(office.officer)
    client.cookies["django_language"] = "en"
    for name, args in (("list", []), ("detail", [award.pk]), ("proposals", []), ("events", []), ("differences", [])):
        assert client.get(reverse(f"awards:{name}", args=args)).status_code == 200
