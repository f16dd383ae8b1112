"""档案 on the page of a notice: what is kept, what is missing, and what this person can do about it."""

from typing import Any

from approvals.notices.archive import building
from approvals.notices.archive.forms import PhotoForm, PostingForm
from approvals.notices.archive.models import PACKAGE, PDF, Dossier, NoticeFile
from approvals.notices.archive.package import views_of
from approvals.notices.models import Notice
from approvals.notices.steps import STEPS
from approvals.organisations.authority import UserActor
from approvals.organisations.roles import matrix
from workflows import clock


def context(notice: Notice, by: UserActor) -> dict[str, Any]:
    """What the page shows; nothing for a list that never was public."""
    if notice.published_at is None or notice.published_on is None:
        return {"dossier": None}
    rules, allowed = STEPS[notice.step], matrix()
    drafts = bool(by.permits(rules.draft, [notice.path]))
    files = {file.kind: file for file in NoticeFile.objects.filter(notice=notice)}
    dossier = Dossier.objects.filter(notice=notice).select_related("archived_by").first() or Dossier(notice=notice)
    can = {act: drafts and allowed.in_state(f"{notice.step}.{act}", notice.state) for act in
           ("add_photo", "remove_photo", "posting", "make_package", "archive")}  # fmt: skip
    photos = list(notice.photos.filter(removed_at=None))
    package = files.get(PACKAGE)
    return {
        "dossier": dossier,
        "archive_can": can,
        "may_download": any(by.permits(each, [notice.path]) for each in (rules.draft, rules.sign, "view_record")),
        "pdf": files.get(PDF) if building.is_long(notice) else None,
        "package": package,
        "photos": photos,
        "views": views_of(notice),
        "photo_form": PhotoForm(initial={"taken_on": min(clock.today(), notice.ends_on or clock.today())}),
        "posting_form": PostingForm(instance=dossier),
        "to_archive": {
            "posting": bool(dossier.proof),
            "photo": bool(photos or dossier.no_photo_reason),
            "package": package is not None and package.state == "ready",
        },
    }
