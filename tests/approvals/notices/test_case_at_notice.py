"""The page of a case at a notice step: before whom it is, or on which notice and until when."""

from datetime import date

from approvals.applications.models import Application
from approvals.organisations.models import User
from project.templatetags.zhuxue import cn_date
from tests.approvals.notices.conftest import Place
from tests.approvals.review.scene import signed_in, text_of
from tests.factories import head_of

NOTHING = "无需办理"


def page(reader: User, application: Application) -> str:
    return signed_in(reader).get(f"/cases/{application.pk}/").content.decode()


def told(reader: User, application: Application) -> str:
    return text_of(signed_in(reader).get(f"/cases/{application.pk}/"))


def test_a_case_that_is_on_no_notice_says_who_drafts_and_signs_one(school_place: Place) -> None:
    [application] = school_place.applications(1)
    text = told(school_place.author.user, application)
    assert NOTHING not in text
    assert f"等待列入公示名单，须先拟写公示：{school_place.school.name} 学校资助专干" in text
    assert "拟写后由以下岗位签发：学校负责人" in text
    assert 'href="/notices/"' in page(school_place.author.user, application)


def test_a_case_on_a_draft_says_so(school_place: Place) -> None:
    [application] = school_place.applications(1)
    notice = school_place.draft()
    assert "等待送审" in told(school_place.signer.user, application)
    assert f'href="/notices/{notice.pk}/"' in page(school_place.signer.user, application)


def test_a_case_whose_notice_waits_for_the_signer_or_its_day_says_so(school_place: Place) -> None:
    notice = school_place.pending(1)
    application = notice.lines.get().case.application
    assert f"等待签发：{school_place.school.name} 学校负责人" in told(school_place.author.user, application)
    school_place.sign(notice, date(2026, 9, 9))
    assert f"将于{cn_date(date(2026, 9, 9))}发布" in told(school_place.author.user, application)


def test_a_case_on_public_notice_says_until_when_and_links_to_it(county_place: Place) -> None:
    notice = county_place.published(1)
    application = notice.lines.get().case.application
    notice.refresh_from_db()
    for reader, address in (
        (county_place.author.user, f"/notices/{notice.pk}/"),
        (school_head(county_place), f"/public/notices/{notice.public_id}/"),
    ):
        text = told(reader, application)
        assert f"正在公示，公示期至{cn_date(notice.ends_on)}" in text
        assert NOTHING not in text
        assert f'<p><a href="{address}">' in page(reader, application)
    notice.lines.update(state="objected")
    assert "异议办结后转入下一环节" in told(county_place.author.user, application)


def school_head(place: Place) -> User:
    return head_of(place.school)


def test_a_school_reads_that_the_county_drafts_the_notice(county_place: Place) -> None:
    [application] = county_place.applications(1)
    text = told(school_head(county_place), application)
    assert f"等待列入公示名单，须先拟写公示：{county_place.office.name}" in text
