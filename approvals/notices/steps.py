"""The steps that have a public notice: who drafts, signs and takes a line back, and what may be shown."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p

from approvals.organisations.models import Kind
from approvals.programmes.definition import BEYOND_THE_SCHOOL, NOTICE_COLUMNS
from workflows.flows.aid import NOTICES, REVIEWERS

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
    organisation: Kind
    """The kind of office that gives the notice."""
    by_class: bool = False
    """One list for each class of the school."""

    @property
    def draft(self) -> str:
        """The permission to draft."""
        return f"draft_{self.name}"

    @property
    def sign(self) -> str:
        """The permission to sign, and whatever is the signer's."""
        return f"sign_{self.name}"

    @property
    def reviewer(self) -> str:
        """Who may take a line off the list: the permission of the route's `adjust`."""
        return REVIEWERS[NOTICES[self.name][0]]

    @property
    def masked(self) -> bool:
        """Whether names are masked: by rule, never by the author."""
        return self.name in BEYOND_THE_SCHOOL

    @property
    def columns(self) -> frozenset[str]:
        """Headings that may be shown at this step."""
        return frozenset(NOTICE_COLUMNS) - ({LEVEL} if self.masked else set())

    def may_show(self, columns: list[str]) -> bool:
        """Whether a list may have these columns; a name it must have."""
        return self.columns.issuperset(columns) and NAME in columns


STEPS = {
    step.name: step
    for step in (
        NoticeStep("class_notice", Kind.SCHOOL, by_class=True),
        NoticeStep("school_notice", Kind.SCHOOL),
        NoticeStep("township_notice", Kind.TOWNSHIP),
        NoticeStep("county_notice", Kind.COUNTY),
    )
}
"""In the order of the route, from the class to the county."""
