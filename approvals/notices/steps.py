"""The two steps that have a public notice: who drafts, signs and takes a line back, and what may be shown."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p

from approvals.organisations.models import Kind
from approvals.programmes.definition import NOTICE_COLUMNS

HEADINGS: dict[str, Promise] = {
    "序号": _p("notice column", "No."),
    "学校": _p("notice column", "School"),
    "年级": _p("notice column", "Grade"),
    "班级": _p("notice column", "Class"),
    "姓名": _p("notice column", "Name"),
    "困难等级": _p("notice column", "Hardship level"),
    "资助项目": _p("notice column", "Aid programme"),
}
"""What the canonical headings that may be public are called (DOMAIN.md §2.7, §4.5)."""
NUMBER, SCHOOL, NAME, LEVEL, SUBJECT = "序号", "学校", "姓名", "困难等级", "资助项目"


@dataclass(frozen=True)
class NoticeStep:
    """A step of the route where cases stand on a public list; permissions as in `fixtures/permissions.yaml`."""

    name: str
    draft: str
    sign: str
    reviewer: str
    """Who may take a line off the list: the permission of the route's `adjust`."""
    organisation: Kind
    """The kind of office that gives the notice."""
    columns: frozenset[str]
    """Headings that may be shown at this step."""

    def may_show(self, columns: list[str]) -> bool:
        """Whether a list may have these columns; a name it must have."""
        return self.columns.issuperset(columns) and NAME in columns


STEPS = {
    step.name: step
    for step in (
        NoticeStep(
            "school_notice",
            "draft_school_notice",
            "sign_school_notice",
            "review_school",
            Kind.SCHOOL,
            frozenset(NOTICE_COLUMNS),
        ),
        NoticeStep(
            "county_notice",
            "draft_county_notice",
            "sign_county_notice",
            "review_county",
            Kind.COUNTY,
            frozenset(NOTICE_COLUMNS),
        ),
    )
}
