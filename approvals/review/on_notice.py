"""Where a case at a public-notice step stands: on which notice, or before whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from approvals.applications.models import Application
from approvals.notices.models import NoticeLine
from approvals.notices.queries import office_path
from approvals.notices.steps import STEPS, NoticeStep
from approvals.organisations.models import Organisation
from approvals.organisations.roles import matrix

PUBLIC = ("published", "closed")
"""States of a notice that is public, or has been until its last day."""


@dataclass(frozen=True, slots=True)
class OnNotice:
    """The notice that a case stands on, if it stands on one, and the office that gives it."""

    step: NoticeStep
    office: Organisation
    line: NoticeLine | None
    opens: bool
    """Whether the reader's posts open the office's page of the notice."""

    @property
    def public(self) -> bool:
        return self.line is not None and self.line.notice.state in PUBLIC

    @property
    def drafters(self) -> list[str]:
        """The roles that draft."""
        return matrix().roles_with(self.step.draft)

    @property
    def signers(self) -> list[str]:
        """The roles that sign."""
        return matrix().roles_with(self.step.sign)


def on_notice(
    application: Application, step: str, lines: Sequence[NoticeLine], prefixes: Iterable[str]
) -> OnNotice | None:
    """What a case waits for at a notice step, of its lines on notices; None at another step."""
    if step not in STEPS:
        return None
    line = next((line for line in lines if line.open and line.step == step), None)
    path = office_path(STEPS[step], application.path)
    if line is not None:
        office = line.notice.organisation
    elif path == application.path:
        office = application.school
    else:
        office = Organisation.objects.get(path=path)
    return OnNotice(STEPS[step], office, line, any(path.startswith(prefix) for prefix in prefixes))
