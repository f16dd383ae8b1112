"""Evidence: judged by content, made anew, kept encrypted, opened on the record."""

import io
import zlib
from pathlib import Path
from typing import Any

import pypdf
import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pypdf.actions import JavaScript

from approvals.applications import actions, evidence_store
from approvals.applications.evidence_files import LONGEST_SIDE, MAX_BYTES, accept
from approvals.applications.refusals import Refused
from tests.factories import ApplicationFactory, SchoolFactory, acting, at_step, head_of, officer_of, set_training_date
from workflows.models import Record

MARK = "仅限鸡泽县学生资助使用"


def upload(data: bytes, name: str = "证明.jpg", content_type: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type)


def photo(size: tuple[int, int] = (800, 600), kind: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    made = io.BytesIO()
    Image.new(mode, size, "white").save(made, kind, **options)
    return made.getvalue()


def pdf(**changes: Any) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    if changes.get("script"):
        writer.add_open_action(JavaScript("app.alert('x')"))
    if changes.get("file"):
        writer.add_attachment("a.txt", b"x")
    if changes.get("password"):
        writer.encrypt(changes["password"])
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


# ---------------------------------------------------------------- what may be attached


def test_a_photo_is_made_anew_without_where_and_when_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x010F] = "PhoneMaker"
    exif[0x0132] = "2026:09:01 10:00:00"
    paper = accept(upload(photo(exif=exif) + b"GPS tail"), MARK)
    assert b"PhoneMaker" not in paper.data
    assert b"2026:09:01" not in paper.data
    assert b"GPS tail" not in paper.data
    with Image.open(io.BytesIO(paper.data)) as kept:
        assert (kept.format, kept.size, dict(kept.getexif())) == ("JPEG", (800, 600), {})


def test_a_photo_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    paper = accept(upload(photo((800, 600), exif=exif)), MARK)
    with Image.open(io.BytesIO(paper.data)) as kept:
        assert kept.size == (600, 800)


def test_the_purpose_is_written_across_a_photo() -> None:
    paper = accept(upload(photo()), MARK)
    with Image.open(io.BytesIO(paper.data)) as kept:
        reddish = sum(r > g + 20 for r, g, _b in kept.get_flattened_data())
        quarters = [kept.crop((x, y, x + 400, y + 300)) for x in (0, 400) for y in (0, 300)]
        assert 0.01 < reddish / (800 * 600) < 0.4
        assert all(any(r > g + 20 for r, g, _b in quarter.get_flattened_data()) for quarter in quarters)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB"), ("PNG", "I;16")])
def test_other_pictures_become_photos_too(kind: str, mode: str) -> None:
    colour = 0 if mode in ("P", "I;16") else "white"
    made = io.BytesIO()
    Image.new(mode, (300, 200), colour).save(made, kind)
    assert accept(upload(made.getvalue()), MARK).content_type == "image/jpeg"


def test_a_large_photo_is_kept_no_larger_than_needed() -> None:
    with Image.open(io.BytesIO(accept(upload(photo((5000, 3000))), MARK).data)) as kept:
        assert max(kept.size) <= LONGEST_SIDE


def bomb() -> bytes:
    """A PNG of a few kB that says it has 30,000 × 30,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = (30000).to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    body = zlib.compress(b"\0" * 3751 * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b"\xff\xd8\xff" + b"0" * MAX_BYTES, "file_too_big"),
        (b"MZ\x90\x00" + b"\0" * 500, "file_type"),
        (b"<html><script>alert(1)</script></html>", "file_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "file_type"),
        (photo(kind="GIF"), "file_type"),
        (photo()[:300], "image_damaged"),
        (bomb(), "image_too_large"),
        (pdf()[:200], "pdf_damaged"),
        (pdf(password="geheim"), "pdf_locked"),
        (pdf(script=True), "pdf_active"),
        (pdf(file=True), "pdf_active"),
        (pdf(script=True).replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS", b"/#4aS"), "pdf_active"),
    ],
)  # fmt: skip
def test_what_is_no_plain_photo_or_pdf_is_refused_whatever_its_name(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        accept(upload(data), MARK)
    assert refused.value.code == code
    assert refused.value.message


def test_a_script_inside_packed_objects_is_found() -> None:
    packed = zlib.compress(b"1 0 2 30 << /S /JavaScript /JS (app.alert) >>")
    data = (
        b"%PDF-1.7\n5 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length "
        + str(len(packed)).encode() + b" >>\nstream\n" + packed + b"\nendstream\nendobj\nstartxref\n0\n%%EOF"
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        accept(upload(data), MARK)
    assert refused.value.code == "pdf_active"


def test_a_picture_inside_a_pdf_may_hold_any_bytes() -> None:
    data = pdf().replace(b"startxref", b"9 0 obj\n<< /Length 9 >>\nstream\nx/JS (x)\nendstream\nendobj\nstartxref")
    assert accept(upload(data, "a.pdf"), MARK).data == data


# ---------------------------------------------------------------- with an application


@pytest.fixture
def application(db: None) -> Any:
    set_training_date()
    return ApplicationFactory()


def attach(application: Any, data: bytes | None = None, name: str = "户口簿.jpg") -> Any:
    officer = acting(officer_of(application.school))
    return actions.add_evidence(application.case_id, "household_register", upload(data or photo(), name), officer)


def files(settings: Any) -> list[Path]:
    return [each for each in Path(settings.MEDIA_ROOT).rglob("*") if each.is_file()]


def test_a_paper_lies_encrypted_under_a_random_name(application: Any, settings: Any) -> None:
    evidence = attach(application, pdf(), "../../低保证.exe")
    [file] = files(settings)
    assert b"%PDF" not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    assert "低保" not in str(file)
    assert (evidence.name, evidence.content_type) == ("低保证.pdf", "application/pdf")
    assert evidence_store.read(evidence.file) == pdf()


def test_opening_a_paper_leaves_a_line_on_the_record(application: Any) -> None:
    evidence = attach(application)
    head = acting(head_of(application.school))
    assert actions.open_evidence(evidence, head)[:2] == b"\xff\xd8"
    line = Record.objects.get(act="open_evidence")
    assert (line.about_id, line.actor, line.data["evidence"]) == (application.case_id, head.key, evidence.pk)


def test_people_of_another_school_cannot_open_it(application: Any) -> None:
    evidence = attach(application)
    with pytest.raises(PermissionDenied):
        actions.open_evidence(evidence, acting(head_of(SchoolFactory())))
    assert not Record.objects.filter(act="open_evidence").exists()


@pytest.mark.parametrize("role", ["head", "other officer"])
def test_only_an_officer_of_the_school_adds_and_removes(application: Any, role: str, settings: Any) -> None:
    evidence = attach(application)
    user = acting(head_of(application.school) if role == "head" else officer_of(SchoolFactory()))
    with pytest.raises(PermissionDenied):
        actions.add_evidence(application.case_id, "other", upload(photo()), user)
    with pytest.raises(PermissionDenied):
        actions.remove_evidence(evidence.pk, user)
    assert len(files(settings)) == 1


def test_once_submitted_papers_stay_as_they_are(settings: Any, db: None) -> None:
    set_training_date()
    application = at_step("school_review")
    with pytest.raises(Refused) as refused:
        attach(application)
    assert refused.value.code == "not_editable"
    assert files(settings) == []


@pytest.mark.django_db(transaction=True)
def test_a_removed_paper_is_deleted_and_that_it_was_there_is_kept(settings: Any) -> None:
    set_training_date()
    application = ApplicationFactory()
    evidence = attach(application)
    actions.remove_evidence(evidence.pk, acting(officer_of(application.school)))
    evidence.refresh_from_db()
    assert evidence.removed_at is not None
    assert files(settings) == []
    assert Record.objects.filter(act="remove_evidence", about_id=application.case_id).exists()


@pytest.mark.parametrize("key", ["../settings.py", "ab/../../x", "", "zz/" + "0" * 40])
def test_the_store_gives_out_its_own_files_only(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        evidence_store.read(key)


def test_a_paper_that_somebody_took_away_meanwhile_is_refused_and_written_once(db: None) -> None:
    set_training_date()
    application = ApplicationFactory()
    evidence = attach(application)
    by = acting(officer_of(application.school))
    actions.remove_evidence(evidence.pk, by)
    with pytest.raises(Refused) as refused:
        actions.remove_evidence(evidence.pk, by)
    assert refused.value.code == "already_removed"
    assert Record.objects.filter(act="remove_evidence", about_id=application.case_id).count() == 1


def test_a_number_in_a_papers_name_is_masked_before_it_is_kept(db: None) -> None:
    set_training_date()
    application = ApplicationFactory()
    by = acting(officer_of(application.school))
    kept = actions.add_evidence(application.case_id, "other", upload(photo(), "张三130499201203050010.jpg"), by)
    assert kept.name == "张三1304xxxxxxxxxx0010.jpg"
