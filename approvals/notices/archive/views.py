"""Photos, proof of posting, package and PDF on the offices' pages. Nothing of it is ever public."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from approvals.applications import evidence_store
from approvals.notices import views
from approvals.notices.archive import actions, panel
from approvals.notices.archive.forms import PhotoForm, PostingForm
from approvals.notices.archive.models import PACKAGE, PDF, BoardPhoto, NoticeFile
from approvals.notices.refusals import Refused
from approvals.notices.steps import STEPS
from approvals.organisations.access import actor, requires

DRAFTERS = tuple(step.draft for step in STEPS.values())
READERS = (*DRAFTERS, *(step.sign for step in STEPS.values()), "view_record")


@require_POST
@requires(*DRAFTERS)
def add_photo(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Adds a photo of the board."""
    notice = views._notice(request, notice_id)
    form = PhotoForm(request.POST, request.FILES)
    if form.is_valid():
        given = form.cleaned_data
        try:
            actions.add_photo(
                notice_id, given["file"], moment_shown=given["moment"], taken_on=given["taken_on"],
                place=given["place"], by=actor(request),
            )  # fmt: skip
        except Refused as refused:
            form.add_error("taken_on" if refused.code == "photo_date" else "file", str(refused))
        else:
            messages.success(request, _("Added. What a phone writes about the place was taken out."))
            return _back(notice_id)
    return views._detail(request, notice, 422, photo_form=form)


@require_POST
@requires(*DRAFTERS)
def remove_photo(request: HttpRequest, notice_id: int, photo_id: int) -> HttpResponse:
    """Takes a photo away."""
    photo = get_object_or_404(BoardPhoto, pk=photo_id, notice=notice_id)
    return _act(request, notice_id, lambda by: actions.remove_photo(photo.pk, by), _("Photo taken away."))


@require_POST
@requires(*DRAFTERS)
def posting(request: HttpRequest, notice_id: int) -> HttpResponse:
    """The proof of posting."""
    notice = views._notice(request, notice_id)
    form = PostingForm(request.POST)
    if form.is_valid():
        try:
            actions.state_posting(notice_id, **form.cleaned_data, by=actor(request))
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Saved."))
            return _back(notice_id)
    return views._detail(request, notice, 422, posting_form=form)


@require_POST
@requires(*DRAFTERS)
def make_package(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Has the package made in the background."""
    done = _("It is made in the background; this page shows how far it is.")
    return _act(request, notice_id, lambda by: actions.make_package(notice_id, by), done)


@require_POST
@requires(*DRAFTERS)
def archive(request: HttpRequest, notice_id: int) -> HttpResponse:
    """归档."""
    return _act(request, notice_id, lambda by: actions.archive(notice_id, by), _("Archived."))


def _act(request: HttpRequest, notice_id: int, act: Callable[[Any], Any], done: str) -> HttpResponse:
    views._notice(request, notice_id)
    try:
        act(actor(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done)
    return _back(notice_id)


def _back(notice_id: int) -> HttpResponse:
    answer = redirect("notices:detail", notice_id)
    answer["Location"] += "#archive"
    return answer


# ---------------------------------------------------------------- what is read


@require_GET
@never_cache
@requires("view_case")
def files(request: HttpRequest, notice_id: int) -> HttpResponse:
    """How far the files are, as a piece of the page."""
    notice = views._notice(request, notice_id)
    context = panel.context(notice, actor(request)) | {"notice": notice}
    return render(request, "notices/archive/_files.html", context)


@require_GET
@never_cache
@requires("view_case")
def photo(request: HttpRequest, notice_id: int, photo_id: int, size: str) -> HttpResponse:
    """A photo of the board, whole or small."""
    notice = views._notice(request, notice_id)
    found = get_object_or_404(BoardPhoto, pk=photo_id, notice=notice, removed_at=None)
    return _file(found.file if size == "whole" else found.thumbnail, "image/jpeg", f"board-{found.pk}.jpg")


@require_GET
@never_cache
@requires("view_case")
def pdf(request: HttpRequest, notice_id: int) -> HttpResponse:
    """A long list as one PDF; the office has it after the period, too."""
    notice = views._notice(request, notice_id)
    found = get_object_or_404(NoticeFile, notice=notice, kind=PDF, state="ready")
    return _file(found.file, "application/pdf", f"notice-{notice.public_id}.pdf")


@require_POST
@never_cache
@requires(*READERS)
def package(request: HttpRequest, notice_id: int) -> HttpResponse:
    """The evidence package; that it was opened stands on the record."""
    notice = views._notice(request, notice_id)
    found = get_object_or_404(NoticeFile.objects.select_related("notice"), notice=notice, kind=PACKAGE, state="ready")
    try:
        data = actions.open_package(found, actor(request))
    except FileNotFoundError:
        raise Http404 from None
    answer = HttpResponse(data, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="notice-{notice.public_id}.zip"'
    return answer


def _file(key: str, content_type: str, name: str) -> HttpResponse:
    try:
        data = evidence_store.read(key)
    except FileNotFoundError:
        raise Http404 from None
    answer = HttpResponse(data, content_type=content_type)
    answer["Content-Disposition"] = f'inline; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
