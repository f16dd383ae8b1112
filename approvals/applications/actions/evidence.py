"""Papers that go with an application: added and removed while it can be edited, or while its reviewer waits for
some; opened with a line in the record.
"""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext

from approvals.applications import asking, evidence_store
from approvals.applications.actions.changing import editable
from approvals.applications.actions.submitting import act_as_applicant
from approvals.applications.evidence_files import accept
from approvals.applications.models import Application, Evidence, PaperRequest
from approvals.applications.refusals import Refused
from approvals.organisations import queries as organisations
from approvals.organisations.authority import UserActor
from approvals.people.masking import mask_text
from workflows import record

MOST = 20
"""Papers per application, and once more for each request of a reviewer."""


def add_evidence(case_id: int, kind: str, file: "UploadedFile[Any]", by: UserActor) -> Evidence:
    """Attaches an uploaded paper: checked by content, marked with its purpose, kept encrypted.

    Raises Refused (file_…, image_…, pdf_…, too_much_evidence, not_editable, other_level) and PermissionDenied.
    """
    application = Application.objects.only("path").get(pk=case_id)
    post = by.require("submit_application", application.path)
    paper = accept(file, purpose())
    key = evidence_store.keep(paper.data)
    try:
        with transaction.atomic():
            request = _open_to_papers(case_id)
            act_as_applicant([case_id], by)
            counted = application.evidence.filter(removed_at=None)
            if request is not None:  # what was attached before leaves room for what is asked for
                counted = counted.filter(added_at__gte=request.asked_at)
            if counted.count() >= MOST:
                raise Refused("too_much_evidence", limit=MOST)
            evidence = Evidence.objects.create(
                application=application,
                kind=kind,
                name=_safe_name(file.name or "", paper.content_type),
                content_type=paper.content_type,
                size=len(paper.data),
                sha256=paper.sha256,
                file=key,
                added_by=by.user,
            )
            record.write(
                "add_evidence", "case", [case_id], by, post=post, path=application.path,
                data={"evidence": evidence.pk, "kind": kind, "sha256": evidence.sha256},
            )  # fmt: skip
            asking.answer(case_id, by, post, application.path)
    except BaseException:
        evidence_store.forget(key)
        raise
    return evidence


def _open_to_papers(case_id: int) -> PaperRequest | None:
    """Locks the case; refuses one that may not be changed, unless its reviewer has asked for papers, and how."""
    try:
        editable(case_id)
    except Refused:
        request = asking.request_of(case_id)
        if request is None:
            raise
        return request
    return None


def remove_evidence(evidence_id: int, by: UserActor) -> Evidence:
    """Takes a paper away while the application can be edited, or one attached since its reviewer asked for papers while
    he waits; its file is deleted, that it was there is kept.

    Raises Refused (not_editable, older_paper, already_removed, other_level), PermissionDenied and
    Evidence.DoesNotExist.
    """
    with transaction.atomic():
        path, case_id = Evidence.objects.values_list("application__path", "application").get(pk=evidence_id)
        post = by.require("submit_application", path)
        request = _open_to_papers(case_id)
        evidence = Evidence.objects.filter(pk=evidence_id, removed_at=None).first()
        if evidence is None:
            raise Refused("already_removed")
        if request is not None and evidence.added_at < request.asked_at:
            raise Refused("older_paper")
        act_as_applicant([case_id], by)
        evidence.removed_at = timezone.now()
        evidence.save(update_fields=["removed_at"])
        record.write("remove_evidence", "case", [case_id], by, post=post, path=path, data={"evidence": evidence_id})
        transaction.on_commit(lambda: evidence_store.forget(evidence.file))
    return evidence


def open_evidence(evidence: Evidence, by: UserActor) -> bytes:
    """The paper in clear, with a line in the record of who opened it.

    Raises PermissionDenied, and FileNotFoundError when the file is gone.
    """
    path = evidence.application.path
    post = by.require("view_case", path)
    data = evidence_store.read(evidence.file)
    record.write(
        "open_evidence", "case", [evidence.application_id], by, post=post, path=path,
        data={"evidence": evidence.pk, "kind": evidence.kind},
    )  # fmt: skip
    return data


def purpose() -> str:
    """What copies may be used for, written across pictures: 仅限鸡泽县学生资助使用 (DOMAIN.md §4.4)."""
    county = organisations.county().name
    with translation.override("zh-hans"):
        return gettext("For student aid of %(county)s only") % {"county": county}


def _safe_name(name: str, content_type: str) -> str:
    """The file's name as shown, without folders and signs, ending as its content says."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    stem = "".join(sign for sign in stem if sign.isprintable() and sign not in '<>:"|?*;').strip() or "paper"
    stem = mask_text(stem).replace("*", "x")  # no file may be called by a star
    return stem[:100] + {"application/pdf": ".pdf"}.get(content_type, ".jpg")


def open_form(application: Application, by: UserActor) -> bool:
    """Writes that the form was opened on the record; answers whether the family's circumstances may stand on it.

    They do for the school that enters them and has them signed; whoever judges opens them on the case's page, for a
    purpose on the record. Raises PermissionDenied unless `by` may see the case.
    """
    path = application.path
    post = by.require("view_case", path)
    enters = bool(by.permits("submit_application", [path]))
    record.write("form_pdf", "case", [application.pk], by, post=post, path=path, data={"family": enters})
    return enters
