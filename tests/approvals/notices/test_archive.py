"""公示档案: long lists as one PDF, photos of the board, proof of posting, the evidence package, 归档."""

import io
import json
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image
from pypdf import PdfReader

from approvals.applications import evidence_store
from approvals.notices import actions as notices
from approvals.notices import freezing, paper
from approvals.notices.archive import actions, building, counting, package, verifying
from approvals.notices.archive.models import PACKAGE, PDF, BoardPhoto, Dossier, NoticeFile, NoticeViews
from approvals.notices.models import Notice
from approvals.organisations.papers import PaperUnavailable
from tests.approvals.notices.conftest import Place, refused
from tests.approvals.notices.test_proofs import TOOL, unguarded
from tests.approvals.notices.test_public_site import OVER, WITHDRAWN, address, text
from tests.factories import CountyFactory, person, set_training_date
from workflows.background import run_due
from workflows.models import Record, SealedLine
from workflows.seal.sealing import seal_now
from workflows.seal.verifying import Report

pytestmark = pytest.mark.django_db
PUT_UP = date(2026, 9, 7)
PROOF = "9月7日至14日张贴于校门口公示栏，由总务处张贴和取下。"


def picture(exif: Image.Exif | None = None, kind: str = "JPEG", colour: str = "white") -> SimpleUploadedFile:
    made = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(made, kind, **({"exif": exif} if exif else {}))
    return SimpleUploadedFile(f"board.{kind.lower()}", made.getvalue(), "image/jpeg")


def add(notice: Notice, place: Place, **given: Any) -> BoardPhoto:
    values = {"file": picture(), "moment_shown": "start", "taken_on": PUT_UP, "place": "校门口公示栏"} | given
    file = values.pop("file")
    return actions.add_photo(notice.pk, file, by=place.author, **values)


def seal() -> None:
    while seal_now():
        pass


def build() -> None:
    while building.work_on_next() or building.work_on_next():  # a package first asks for the PDF it needs
        pass


def over(place: Place, count: int = 3) -> Notice:
    """A notice whose period is over and which is taken down."""
    notice = place.published(count)
    set_training_date(OVER)
    run_due("default")
    return Notice.objects.get(pk=notice.pk)


def packed(notice: Notice, place: Place) -> NoticeFile:
    """Its package, with everything that must be there."""
    actions.state_posting(notice.pk, proof=PROOF, no_photo_reason="", by=place.author)
    seal()
    build()
    return NoticeFile.objects.get(notice=notice, kind=PACKAGE)


def files_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as box:
        return {name: box.read(name) for name in box.namelist()}


# ---------------------------------------------------------------- a long list as one PDF


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of more than twenty lines are long."""
    monkeypatch.setattr(paper, "ROWS_PER_FILE", 20)


def test_a_long_list_becomes_one_pdf_whose_pages_are_numbered_through(
    long: None, school_place: Place, client: Client
) -> None:
    notice = school_place.published(45)
    assert "Whole" not in text(client.get(address(notice)))
    assert building.work_on_next() == 1
    file = NoticeFile.objects.get(kind=PDF)
    assert (file.state, file.done, file.parts) == ("building", 1, 3), "how far it is"
    build()
    file.refresh_from_db()
    assert file.state == "ready"
    assert not file.pieces.exists()
    answer = client.get(reverse("public:pdf", args=[notice.public_id]))
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages]
    assert answer.content == evidence_store.read(file.file)
    for number, page in enumerate(pages, 1):
        assert f"第 {number} 页" in page
    assert f"第 {len(pages)} 页 / 共 {len(pages)} 页" in pages[-1]
    assert len(pages) >= 3
    whole = "".join(pages)
    names = Counter(notice.lines.values_list("shown__姓名", flat=True))
    assert {name: whole.count(name) for name in names} == names, "every row once"
    assert whole.count("（盖章）") == 1
    assert reverse("public:pdf", args=[notice.public_id]) in text(client.get(address(notice)))
    assert building.work_on_next() == 0, "nothing is made twice"
    assert Record.objects.filter(about="notice", act="pdf").count() == 1


def test_a_killed_worker_goes_on_from_the_pieces_that_are_there(
    long: None, school_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    school_place.published(45)
    made: list[int] = []
    piece_of = paper.piece_of

    def dies_once(notice: Notice, part: int, parts: int, first: int) -> bytes:
        made.append(part)
        if made == [1, 2]:
            raise SystemExit
        return piece_of(notice, part, parts, first)

    monkeypatch.setattr(paper, "piece_of", dies_once)
    with pytest.raises(SystemExit):
        build()
    build()
    assert NoticeFile.objects.get().state == "ready"
    assert made == [1, 2, 2, 3], "only what was lost is made again"


def test_a_piece_that_fails_again_and_again_is_told_and_left_alone(
    long: None, school_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    school_place.published(45)
    monkeypatch.setattr(paper, "piece_of", lambda *_given: 1 / 0)
    build()
    file = NoticeFile.objects.get()
    assert (file.state, file.attempts) == ("failed", building.ATTEMPTS)
    assert "多次尝试" in file.error


def test_a_county_without_a_chinese_font_is_told_how_to_get_one(
    long: None, school_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_font(*_given: Any) -> bytes:
        raise PaperUnavailable

    school_place.published(45)
    monkeypatch.setattr(paper, "piece_of", no_font)
    build()
    assert "fonts-noto-cjk" in NoticeFile.objects.get().error


def test_a_list_that_loses_a_line_is_printed_anew_and_the_old_file_is_gone(
    long: None, school_place: Place, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    notice = school_place.published(45)
    build()
    old = NoticeFile.objects.get()
    line = notice.lines.first()
    notices.withdraw_line(line.pk, school_place.reviewer, WITHDRAWN)
    pdf = reverse("public:pdf", args=[notice.public_id])
    assert pdf not in text(client.get(address(notice))).replace(f"{pdf}?part", "")
    with django_capture_on_commit_callbacks(execute=True):
        build()
    new = NoticeFile.objects.get()
    assert (new.state, new.sha256 == old.sha256) == ("ready", False)
    pages = "".join(page.extract_text() for page in PdfReader(io.BytesIO(client.get(pdf).content)).pages)
    assert pages.count(line.shown["姓名"]) == notice.lines.filter(shown__姓名=line.shown["姓名"]).count() - 1
    assert "公示期内已移除1人" in pages.replace(" ", "")
    with pytest.raises(FileNotFoundError):
        evidence_store.read(old.file)


def test_the_public_file_goes_with_the_list_and_the_office_keeps_it(
    long: None, school_place: Place, client: Client
) -> None:
    notice = school_place.published(45)
    build()
    set_training_date(OVER)
    assert client.get(reverse("public:pdf", args=[notice.public_id])).status_code == 410
    client.force_login(school_place.author.user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("notices:pdf", args=[notice.pk])).content.startswith(b"%PDF")


# ---------------------------------------------------------------- photos of the board


def test_a_photo_loses_its_place_and_keeps_its_time(school_place: Place) -> None:
    exif = Image.Exif()
    exif[0x8769] = {0x9003: "2026:09:07 08:15:30"}
    exif[0x8825] = {2: (36.0, 55.0, 12.0)}
    photo = add(school_place.published(), school_place, file=picture(exif))
    assert photo.taken_at.isoformat() == "2026-09-07T08:15:30+08:00"
    with Image.open(io.BytesIO(evidence_store.read(photo.file))) as kept:
        assert not kept.getexif()
    with Image.open(io.BytesIO(evidence_store.read(photo.thumbnail))) as small:
        assert max(small.size) <= 360
    line = Record.objects.get(act="add_photo")
    assert line.data["sha256"] == photo.sha256


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 no photo", b"GIF89a", b"\xff\xd8\xff\xe0 broken"])
def test_what_is_no_photo_is_refused(school_place: Place, content: bytes) -> None:
    notice = school_place.published()
    with refused("photo_unfit") as refusal:
        add(notice, school_place, file=SimpleUploadedFile("a.jpg", content, "image/jpeg"))
    assert len(str(refusal.value)) > 10


def test_a_photo_lies_in_the_time_since_publication(school_place: Place) -> None:
    notice = school_place.published()
    for day in (date(2026, 9, 6), date(2026, 9, 8)):
        with refused("photo_date"):
            add(notice, school_place, taken_on=day)
    assert not list(Path(evidence_store.settings.MEDIA_ROOT).rglob("*")) or not [
        each for each in Path(evidence_store.settings.MEDIA_ROOT).rglob("*") if each.is_file()
    ], "what was refused leaves no file"


def test_only_the_drafting_office_adds_photos_and_only_to_what_was_public(school_place: Place) -> None:
    notice = school_place.published()
    with pytest.raises(PermissionDenied):
        actions.add_photo(
            notice.pk, picture(), moment_shown="start", taken_on=PUT_UP, place="校门口", by=school_place.signer
        )
    pending = school_place.pending(1)
    with refused("wrong_state"):
        add(pending, school_place)


def test_a_wrong_photo_is_taken_away_with_its_file(
    school_place: Place, django_capture_on_commit_callbacks: Any
) -> None:
    photo = add(school_place.published(), school_place)
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove_photo(photo.pk, school_place.author)
    with pytest.raises(FileNotFoundError):
        evidence_store.read(photo.file)
    with refused("photo_gone"):
        actions.remove_photo(photo.pk, school_place.author)


# ---------------------------------------------------------------- views


def test_readers_are_counted_without_a_write_for_each(
    school_place: Place, client: Client, django_assert_max_num_queries: Any
) -> None:
    notice = school_place.published()
    for _ in range(3):
        client.get(address(notice))
    client.head(address(notice))
    client.post(address(notice), {"name": "张三"})
    assert not NoticeViews.objects.exists()
    assert counting.write_down() == 3
    client.get(address(notice))
    counting.write_down()
    assert list(NoticeViews.objects.values_list("notice", "day", "count")) == [(notice.pk, PUT_UP, 4)]


def test_a_reader_who_comes_after_a_minute_has_all_of_them_written(
    school_place: Place, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = school_place.published()
    client.get(address(notice))
    monkeypatch.setattr(counting, "EVERY", -1.0)
    client.get(address(notice))
    assert NoticeViews.objects.get().count == 2
    client.get(address(notice) + "?after=1")
    counting.sweep()
    assert NoticeViews.objects.get().count == 3
    counting.seen(987_654_321)
    assert NoticeViews.objects.count() == 1, "what is no notice counts nothing"


def test_nobody_is_counted_once_the_period_is_over(school_place: Place, client: Client) -> None:
    notice = over(school_place)
    client.get(address(notice))
    assert counting.write_down() == 0


# ---------------------------------------------------------------- the package


def check(tmp_path: Path, data: bytes, *options: str) -> tuple[int, str]:
    """What the stand-alone program says of a package."""
    (tmp_path / "package.zip").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-I", str(TOOL), str(tmp_path / "package.zip"), *options],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={},
    )  # fmt: skip
    return done.returncode, done.stdout


def with_head(tmp_path: Path, data: bytes) -> tuple[int, str]:
    (tmp_path / "head.txt").write_bytes(files_of(data).get("head.txt", b""))
    return check(tmp_path, data, "--head", str(tmp_path / "head.txt"))


def test_a_package_tells_the_whole_story_and_is_proved_offline(school_place: Place, tmp_path: Path) -> None:
    school_place.applications(1)
    notice = school_place.published(3)
    gone = notice.lines.order_by("number").first()
    notices.withdraw_line(gone.pk, school_place.reviewer, WITHDRAWN)
    counting.seen(notice.pk)
    counting.write_down()
    add(notice, school_place)
    set_training_date(OVER)
    run_due("default")
    file = packed(notice, school_place)
    assert file.state == "ready", file.error
    data = evidence_store.read(file.file)
    files = files_of(data)
    assert files["list.json"] == bytes(Notice.objects.get(pk=notice.pk).frozen)
    assert files["notice.pdf"].startswith(b"%PDF")
    told = json.loads(files["notice.json"])
    assert told["counts"] == {"published": 4, "confirmed": 3, "removed": 1, "views": 1}
    assert told["posting"]["proof"] == PROOF
    acts = [act["act"] for act in told["acts"]]
    assert [act for act in acts if act in ("draft", "submit", "publish", "close", "conclude", "take_down")] == [
        "draft", "submit", "publish", "close", "conclude", "take_down",
    ]  # fmt: skip
    rows = files["list.csv"].decode("utf-8-sig").splitlines()
    assert [row.rsplit(",", 1)[1] for row in rows].count("已确认") == 3
    assert next(row for row in rows if row.endswith("已移除")).split(",")[0] == gone.shown["序号"]
    status, said = with_head(tmp_path, data)
    assert (status, said[:5]) == (0, "true:"), said
    assert file.sha256 in said
    assert check(tmp_path, data)[0] == 2, "unproved without a head or key from elsewhere"
    assert Record.objects.get(act="package").data["sha256"] == file.sha256


def test_the_same_content_makes_the_same_bytes(school_place: Place) -> None:
    notice = over(school_place)
    add(notice, school_place)
    file = packed(notice, school_place)
    head = package.head_for(notice, file.upto, file.head)
    seal()
    again = package.made(Notice.objects.get(pk=notice.pk), file.upto, head, paper.pdf_of(notice))
    assert again == evidence_store.read(file.file)


def test_a_package_waits_until_its_lines_are_sealed(school_place: Place) -> None:
    notice = over(school_place)
    actions.make_package(notice.pk, school_place.author)
    assert building.work_on_next() == 0
    assert NoticeFile.objects.get().attempts == 0, "waiting is no try"
    seal()
    build()
    assert NoticeFile.objects.get().state == "ready"


def test_a_new_photo_has_the_package_made_anew(school_place: Place) -> None:
    notice = over(school_place)
    file = packed(notice, school_place)
    assert not [name for name in files_of(evidence_store.read(file.file)) if name.startswith("photos/")]
    add(notice, school_place)
    file.refresh_from_db()
    assert (file.state, file.file) == ("queued", "")
    seal()
    build()
    file.refresh_from_db()
    assert [name for name in files_of(evidence_store.read(file.file)) if name.startswith("photos/")]


def test_a_long_lists_package_holds_the_whole_pdf(long: None, school_place: Place) -> None:
    file = packed(over(school_place, 25), school_place)
    assert file.state == "ready"
    pdf = NoticeFile.objects.get(kind=PDF)
    assert files_of(evidence_store.read(file.file))["notice.pdf"] == evidence_store.read(pdf.file)


def _edit(data: bytes, change: Callable[[dict[str, bytes]], None], *, honest_manifest: bool = True) -> bytes:
    """The package with some of its files changed, and a manifest that says so or not."""
    files = files_of(data)
    change(files)
    if honest_manifest:
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = {
            name: freezing.sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"
        }
        files["manifest.json"] = json.dumps(manifest).encode()
    return package._zip(files)


def _swap_list(files: dict[str, bytes]) -> None:
    content = json.loads(files["list.json"])
    content["rows"][0][content["columns"].index("姓名")] = "别人"
    files["list.json"] = freezing.canonical(content)


def _swap_head(files: dict[str, bytes]) -> None:
    record = json.loads(files["record.json"])
    first, rest = record["head"].split("\n", 1)
    size, rest = rest.split("\n", 1)
    record["head"] = f"{first}\n{int(size) + 1}\n{rest}"
    files["record.json"], files["head.txt"] = json.dumps(record).encode(), record["head"].encode()


def _swap_line(files: dict[str, bytes]) -> None:
    record = json.loads(files["record.json"])
    record["lines"][0]["line"] = record["lines"][0]["line"].replace('"draft"', '"drift"', 1)
    files["record.json"] = json.dumps(record).encode()


def _drop(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.__delitem__(name)


def _put(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.__setitem__(name, content)


FORGED: dict[str, tuple[Callable[[dict[str, bytes]], None], bool, str]] = {
    "the list is swapped": (_swap_list, False, "list.json is not what the manifest says"),
    "the list is swapped and the manifest with it": (_swap_list, True, "list.json is not the list that was published"),
    "the manifest is changed": (
        lambda files: files.__setitem__("manifest.json", files["manifest.json"].replace(b"notice.pdf", b"notice.pdx")),
        False, "notice.pdf is not in the manifest",
    ),
    "the manifest is gone": (_drop("manifest.json"), False, "no manifest"),
    "a photo is removed": (_drop("photos/01.jpg"), False, "photos/01.jpg is missing"),
    "a photo is removed and from the manifest": (_drop("photos/01.jpg"), True, "a photo of the board is missing"),
    "a photo is added": (_put("photos/02.jpg", b"x"), True, "not on the record"),
    "a photo is exchanged": (_put("photos/01.jpg", b"x"), True, "a photo of the board is missing"),
    "the head is forged": (_swap_head, True, "signature of the tree head is false"),
    "head.txt is another": (_put("head.txt", b"x"), True, "head.txt is not the tree head"),
    "a line of the record is changed": (_swap_line, True, "not in the sealed tree"),
    "an edition is slipped in": (_put("editions/001.json", b"{}"), True, "the package has 2 lists"),
    "the PDF is changed": (_put("notice.pdf", b"%PDF"), False, "notice.pdf is not what the manifest says"),
}  # fmt: skip


def test_whatever_was_forged_in_a_package_is_found_and_named(school_place: Place, tmp_path: Path) -> None:
    notice = over(school_place)
    add(notice, school_place)
    data = evidence_store.read(packed(notice, school_place).file)
    assert with_head(tmp_path, data)[0] == 0
    for what, (change, honest, named) in FORGED.items():
        status, said = check(tmp_path, _edit(data, change, honest_manifest=honest))
        assert (status, said[:6]) == (1, "false:"), (what, said)
        assert named in said, (what, said)


def test_the_package_of_another_history_is_told_from_a_kept_head(school_place: Place, tmp_path: Path) -> None:
    notice = over(school_place)
    data = evidence_store.read(packed(notice, school_place).file)
    head = files_of(data)["head.txt"].decode().split("\n")
    (tmp_path / "own.txt").write_text("\n".join([head[0], str(int(head[1]) + 5), *head[2:]]))
    status, said = check(tmp_path, data, "--head", str(tmp_path / "own.txt"))
    assert status == 1
    assert "signature" in said


# ---------------------------------------------------------------- 归档


def test_a_notice_is_archived_when_everything_is_there(school_place: Place) -> None:
    notice = over(school_place)
    with refused("no_posting"):
        actions.archive(notice.pk, school_place.author)
    file = packed(notice, school_place)
    with refused("no_photo"):
        actions.archive(notice.pk, school_place.author)
    add(notice, school_place, moment_shown="end", taken_on=OVER)
    with refused("no_package"):
        actions.archive(notice.pk, school_place.author)
    seal()
    build()
    actions.archive(notice.pk, school_place.author)
    notice = Notice.objects.get(pk=notice.pk)
    dossier = Dossier.objects.get()
    assert notice.state == "archived"
    assert (dossier.archived_by, dossier.keep_until) == (school_place.author.user, date(2036, 12, 31))
    file.refresh_from_db()
    said = Record.objects.get(act="archive").data
    assert said == {"list": notice.sha256, "package": file.sha256, "photos": 1}
    with refused("wrong_state"):
        add(notice, school_place)


def test_a_reason_stands_for_the_photo_that_there_is_not(school_place: Place) -> None:
    notice = over(school_place)
    actions.state_posting(notice.pk, proof=PROOF, no_photo_reason="相机损坏", by=school_place.author)
    seal()
    build()
    assert actions.archive(notice.pk, school_place.author).state == "archived"


def test_a_package_is_for_the_office_and_the_auditor_and_never_public(school_place: Place, client: Client) -> None:
    notice = over(school_place)
    packed(notice, school_place)
    url = reverse("notices:package", args=[notice.pk])
    county = CountyFactory()
    for user, status in (
        (person("class_teacher", school_place.school), 403),
        (person("finance_maker", county), 403),
        (person("auditor", county), 200),
        (school_place.author.user, 200),
        (school_place.signer.user, 200),
    ):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        assert client.post(url).status_code == status
    assert Record.objects.filter(act="open_package").count() == 3
    client.logout()
    assert client.post(url).status_code == 302


def test_the_page_leads_from_the_first_photo_to_the_archive(school_place: Place, client: Client) -> None:
    notice = over(school_place)
    client.force_login(school_place.author.user, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("notices:detail", args=[notice.pk])
    assert "公示档案" in text(client.get(page))
    odd = {"file": picture(), "moment": "start", "taken_on": "2026-01-01", "place": "校门口"}
    answer = client.post(reverse("notices:add_photo", args=[notice.pk]), odd)
    assert answer.status_code == 422
    assert "校门口" in text(answer), "what was typed is kept"
    good = odd | {"file": picture(), "taken_on": "2026-09-07"}
    assert client.post(reverse("notices:add_photo", args=[notice.pk]), good).status_code == 302
    photo = BoardPhoto.objects.get()
    assert client.get(reverse("notices:thumbnail", args=[notice.pk, photo.pk]))["Content-Type"] == "image/jpeg"
    assert client.get(reverse("notices:photo", args=[notice.pk, photo.pk])).status_code == 200
    assert client.post(reverse("notices:posting", args=[notice.pk]), {"proof": ""}).status_code == 422
    client.post(reverse("notices:posting", args=[notice.pk]), {"proof": PROOF, "no_photo_reason": ""})
    assert "hx-get" in text(client.get(reverse("notices:files", args=[notice.pk])))
    seal()
    build()
    files = text(client.get(reverse("notices:files", args=[notice.pk])))
    assert NoticeFile.objects.get().sha256 in files
    assert "hx-get" not in files
    client.post(reverse("notices:archive", args=[notice.pk]))
    shown = text(client.get(page))
    assert Notice.objects.get().state == "archived"
    assert "已归档" in shown
    assert PROOF in shown


# ---------------------------------------------------------------- behind the ORM


def test_the_database_refuses_to_change_a_list_that_was_public(school_place: Place) -> None:
    notice = school_place.published()
    at = f"WHERE id = {notice.pk}"
    line = f"WHERE id = {notice.lines.first().pk}"
    for statement in (
        f"UPDATE notices_notice SET frozen = 'x' {at}",
        f"UPDATE notices_notice SET frozen = NULL {at}",
        f"UPDATE notices_notice SET sha256 = repeat('0', 64) {at}",
        f"UPDATE notices_notice SET published_at = published_at - interval '1 day' {at}",
        f"UPDATE notices_notice SET state = 'published', frozen = 'x' {at}",
        f"DELETE FROM notices_notice {at}",
        "TRUNCATE notices_notice CASCADE",
        f"""UPDATE notices_noticeline SET shown = shown || '{{"姓名": "别人"}}' {line}""",
        f"UPDATE notices_noticeline SET number = 99 {line}",
        f"DELETE FROM notices_noticeline {line}",
        "TRUNCATE notices_noticeline CASCADE",
    ):
        with pytest.raises(DatabaseError, match="stands"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE notices_notice SET ends_on = ends_on + 1 {at}")
        cursor.execute(f"UPDATE notices_noticeline SET state = 'removed', open = false {line}")


def test_a_draft_may_still_be_changed_and_deleted(school_place: Place) -> None:
    notice = school_place.pending()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE notices_noticeline SET shown = '{{}}' WHERE notice_id = {notice.pk}")
        cursor.execute(f"DELETE FROM notices_noticeline WHERE notice_id = {notice.pk}")
        cursor.execute(f"DELETE FROM notices_notice WHERE id = {notice.pk}")


def test_a_list_is_replaced_only_by_publishing_again_and_when_the_old_one_is_kept(school_place: Place) -> None:
    notice = school_place.published()
    line = f"WHERE id = {notice.lines.first().pk}"
    again = f"UPDATE notices_notice SET state = 'published', frozen = 'x', sha256 = 'y' WHERE id = {notice.pk}"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE notices_notice SET state = 'paused' WHERE id = {notice.pk}")
        cursor.execute(f"UPDATE notices_noticeline SET shown = '{{}}' {line}")
        cursor.execute(f"UPDATE notices_notice SET state = 'pending_review' WHERE id = {notice.pk}")
        for statement in (again, again.replace("published", "paused"), f"DELETE FROM notices_noticeline {line}"):
            with pytest.raises(DatabaseError, match="stands"), transaction.atomic():
                cursor.execute(statement)
        cursor.execute(
            "INSERT INTO notices_noticeedition (notice_id, number, frozen, sha256, published_at, ended_at, reason,"
            " reason_text) SELECT id, 1, frozen, sha256, published_at, now(), 'other', '' FROM notices_notice"
            f" WHERE id = {notice.pk}"
        )
        cursor.execute(again)


# ---------------------------------------------------------------- verify_record


def test_a_kept_file_that_was_swapped_or_lost_is_named(school_place: Place) -> None:
    notice = over(school_place)
    photo = add(notice, school_place)
    file = packed(notice, school_place)

    def found() -> list[str]:
        report = Report()
        verifying.verify_archives(report)
        return sorted(finding.code for finding in report.findings)

    assert found() == []
    BoardPhoto.objects.filter(pk=photo.pk).update(file=file.file)
    assert found() == ["photo_changed"]
    BoardPhoto.objects.filter(pk=photo.pk).update(file=photo.file)
    NoticeFile.objects.filter(pk=file.pk).update(sha256="0" * 64)
    assert found() == ["package_changed"]
    NoticeFile.objects.filter(pk=file.pk).update(sha256=file.sha256, file=evidence_store.keep(b"another"))
    assert found() == ["package_changed"]
    NoticeFile.objects.filter(pk=file.pk).update(file=file.file)
    evidence_store.forget(photo.file)
    assert found() == ["photo_changed"]
    assert SealedLine.objects.exists()
    unguarded(f"UPDATE notices_notice SET sha256 = '' WHERE id = {notice.pk} AND false")
