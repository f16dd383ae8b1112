"""The words of a notice. They are Chinese whatever the language of the page around them: they are what the public
office says (DOMAIN.md §4.6). Dates and counts are the system's, never the author's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from approvals.notices.models import Notice
from approvals.organisations.models import Kind, Organisation
from approvals.programmes.terms import AUTUMN, Term

REPLY_DAYS = 5
"""Working days within which an objection is answered (DOMAIN.md §3.4)."""
LEVELS = {"severe": "特别困难", "moderate": "困难", "general": "一般困难"}
"""困难等级 as lists show it."""
RECOGNITION = "none"
"""Disbursement kind of a programme that recognises and pays nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph of a notice, with its heading where it has one."""

    heading: str
    text: str


def term_name(code: str) -> str:
    """2026年秋季学期."""
    term = Term.of(code)
    return f"{term.calendar_year}年{'秋' if term.season == AUTUMN else '春'}季学期"


def year_name(code: str) -> str:
    """2026—2027学年."""
    return Term.of(code).school_year.replace("-", "—") + "学年"


def day_name(day: date) -> str:
    """2026年9月14日."""
    return f"{day.year}年{day.month}月{day.day}日"


def issuer(organisation: Organisation) -> str:
    """Who gives the notice: the school, or for a county its education bureau."""
    name = organisation.name
    return name if organisation.kind != Kind.COUNTY or name.endswith(("局", "中心")) else f"{name}教育体育局"


def class_of(grade: str, class_name: str) -> str:
    """五年级1班; the class alone where its name says the grade already."""
    return class_name if class_name.startswith(grade) else f"{grade}{class_name}"


def title(office: str, programme: str, term: str, kind: str, *, supplementary: bool = False) -> str:
    """The title of a notice of an office (or class) about a programme and term; `kind` is the disbursement kind."""
    noticed = "补充公示" if supplementary else "公示"
    if kind == RECOGNITION:
        return f"{office}关于{year_name(term)}{programme}结果的{noticed}"
    return f"{office}关于{term_name(term)}{programme}拟资助学生名单的{noticed}"


def numbered(title: str, number: int) -> str:
    """The title with 之一, 之二 … behind it, where one office would have several that read alike."""
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    word = digits[number] if number < 10 else f"{digits[tens] if tens > 1 else ''}十{digits[ones] if ones else ''}"
    return f"{title}（之{word}）"


WORK = {
    "class_notice": "经学生（监护人）自愿申请、班级评议小组评议",
    "school_notice": "经学生（监护人）自愿申请、班级评议、学校认定工作组审核",
    "township_notice": "经学生（监护人）自愿申请、学校评审并公示、乡镇中心校审核",
    "county_notice": "经学生（监护人）自愿申请、学校评审并公示、逐级审核，并与有关部门数据比对",
}
"""What has been done before the notice of each step."""
AUDIENCE = {"class_notice": "接受全班同学和家长监督", "school_notice": "接受全校师生和家长监督"}


def body(notice: Notice) -> str:
    """What is about to be decided, by which work, about how many pupils; of a supplementary notice, what it adds to."""
    programme, term, count = notice.subject, notice.term, notice.line_count
    if notice.kind == RECOGNITION:
        decided = f"拟认定以下{count}名同学为{year_name(term)}家庭经济困难学生"
    else:
        decided = f"拟将以下{count}名同学列为{term_name(term)}{programme}资助对象"
        if notice.step == "county_notice" and notice.amount:
            decided += f"，本学期资助金额合计{notice.amount:,.2f}元"
    before = ""
    if original := notice.supplements:
        day = day_name(original.published_on) if original.published_on else ""
        before = f"我们已于{day}发布《{original.title}》。现对新增或者有调整的人员作补充公示，公示期另行计算。"
    audience = AUDIENCE.get(notice.step, "接受社会监督")
    return f"{before}根据{programme}有关规定，{WORK[notice.step]}，{decided}。现将名单予以公示，{audience}。"


def period(notice: Notice) -> str:
    """From when to when, and how it is counted; for a draft, how it will be."""
    count = f"{notice.days}个{'工作日' if notice.day_kind == 'working' else '自然日'}"
    rule = f"公示期{count}，自公示发布次日起算"
    if notice.day_kind == "working":
        rule += "，法定节假日不计入，调休上班日计入"
    if notice.publish_on and notice.ends_on:
        return f"{day_name(notice.publish_on)}发布，至{day_name(notice.ends_on)}24时（{rule}）。"
    if notice.published_on is None or notice.ends_on is None or notice.interrupted:
        return f"{rule}，截止日期由系统计算。"
    text = f"{day_name(notice.published_on)}至{day_name(notice.ends_on)}24时（{rule}）。"
    if notice.provisional:
        text += f"{notice.ends_on.year}年节假日安排尚未公布，截止日期暂定，公布后重新计算。"
    return text


def parts(notice: Notice) -> list[Part]:
    """The whole text of a notice but for its title and list; its organisation is loaded."""
    return [
        Part("", notice.body),
        *(
            Part(f"{numeral}、{part.heading}：", part.text)
            for numeral, part in zip("一二三四五", _numbered(notice), strict=False)
        ),
    ]


PLACES = {
    "class_notice": "班级公告栏及本公示网页",
    "school_notice": "校内公示栏及本公示网页",
    "township_notice": "乡镇（中心校）公示栏及本公示网页",
    "county_notice": "本公示网页",
}
TO_WHOM = {
    "class_notice": "学校学生资助工作组反映，也可向县学生资助管理中心反映",
    "school_notice": "学校学生资助工作组反映，也可向县学生资助管理中心反映",
    "township_notice": "乡镇中心校反映，也可向县学生资助管理中心反映",
    "county_notice": "县学生资助管理中心反映",
}


def _numbered(notice: Notice) -> Iterator[Part]:
    yield Part("公示时间", period(notice))
    names = "姓名已作部分隐去，" if notice.mask_names else ""
    yield Part("公示范围", f"{PLACES[notice.step]}。{names}公示期满，名单自动撤下。")
    to = TO_WHOM[notice.step]
    yield Part(
        "意见反映",
        f"公示期内如有异议，请以书面形式向{to}，或在公示网页上提出，提倡实名。我们将对反映人信息严格保密，并在收到之日起{REPLY_DAYS}个工作日内答复。",
    )
    yield Part("联系方式", "　".join(contacts(notice)))
    if notice.remark:
        yield Part("其他说明", notice.remark)


def issued(notice: Notice) -> str:
    """落款日期: the date under the seal; empty before it is signed."""
    if notice.interrupted and not notice.publish_on:
        return ""  # to be signed and dated anew
    day = notice.sealed_on or notice.published_on
    return day_name(day) if day else ""


def contacts(notice: Notice) -> list[str]:
    """Whom to turn to, where, and who supervises; what is missing is left out."""
    known: Iterable[tuple[str, str]] = (
        ("联系人", notice.contact),
        ("电话", notice.contact_phone),
        ("接待地点", notice.contact_place),
        ("县资助中心监督电话", notice.supervision_phone if notice.step != "county_notice" else ""),
    )
    return [f"{label}：{value}" for label, value in known if value]
