"""Files that are no roster: each is refused with a sentence that says what to do, none stops the process."""

import io
import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import msoffcrypto.format.ooxml as ooxml
import openpyxl
import pytest
import xlwt
from django.utils import translation

from approvals.applications.rosters import MAX_BYTES, RosterUnreadable, problems, read_roster, reading
from tests.roster_files import csv_text, grid, pupil, pupils, refusal_of, repacked, roster, xlsx


def zipped(**parts: bytes) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return output.getvalue()


def old_workbook(fill=lambda sheet: None) -> bytes:
    workbook = xlwt.Workbook()
    fill(workbook.add_sheet("名单"))
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


def with_password() -> bytes:
    output = io.BytesIO()
    ooxml.OOXMLFile(io.BytesIO(roster(pupil()))).encrypt("secret", output)
    return output.getvalue()


def old_with_password() -> bytes:
    """An .xls whose globals begin with the record that says the rest is encrypted."""
    data = old_workbook(lambda sheet: sheet.write(0, 0, "姓名"))
    start = data.index(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    interface = data.index(b"\xe1\x00\x02\x00", start)  # INTERFACEHDR and what follows: overwritten with FILEPASS
    return data[:interface] + b"\x2f\x00\x02\x00\x00\x00" + data[interface + 6 :]


WRONG = {
    "a PDF": (b"%PDF-1.7\n1 0 obj", "wrong_type", "PDF"),
    "a PNG": (b"\x89PNG\r\n\x1a\n" + bytes(40), "wrong_type", "图片"),
    "a JPEG": (b"\xff\xd8\xff\xe0" + bytes(40), "wrong_type", "图片"),
    "a program": (b"MZ\x90\x00" + bytes(100), "wrong_type", "程序"),
    "a RAR": (b"Rar!\x1a\x07\x00" + bytes(40), "wrong_type", "解压"),
    "a zip of anything": (zipped(**{"a.txt": b"hello"}), "wrong_type", "解压"),
    "a zip around the workbook": (zipped(**{"名单.xlsx": roster(pupil())}), "wrong_type", "解压"),
    "a Word document": (zipped(**{"word/document.xml": b"<w/>"}), "wrong_type", "Word"),
    "a presentation": (zipped(**{"ppt/presentation.xml": b"<p/>"}), "wrong_type", "PowerPoint"),
    "an .xlsb": (zipped(**{"xl/workbook.bin": b"\0"}), "wrong_type", ".xlsb"),
    "an .ods": (
        zipped(mimetype=b"application/vnd.oasis.opendocument.spreadsheet", **{"content.xml": b"<o/>"}),
        "wrong_type",
        "OpenDocument",
    ),
    "a web page called .xls": (
        b"<html><body><table><tr><td>\xe5\xa7\x93\xe5\x90\x8d</td></tr></table>",
        "web_page",
        "另存为",
    ),
    "a web page with a BOM-less XML line": (b'<?xml version="1.0"?>\n<html xmlns="x"><table>', "web_page", "另存为"),
    "a mail archive page": (b"MIME-Version: 1.0\nContent-Type: text/html", "web_page", "另存为"),
    "an XML spreadsheet": (
        b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook>',
        "wrong_type",
        "XML",
    ),
    "random bytes": (bytes(range(1, 32)) * 200, "wrong_type", "无法识别"),
    "nothing": (b"", "empty_file", "空"),
    "blank lines": (b"\r\n \r\n\t\r\n", "empty_file", "空"),
    "a byte-order mark alone": (b"\xef\xbb\xbf", "empty_file", "空"),
    "zeros": (bytes(5000), "empty_file", "空"),
    "a blank workbook": (xlsx([]), "blank_workbook", "空白"),
    "a blank old workbook": (old_workbook(), "blank_workbook", "空白"),
    "a password": (with_password(), "password", "密码"),
    "a password on an old workbook": (old_with_password(), "password", "密码"),
    "text without headings": ("今天天气很好\n明天也很好\n".encode(), "no_heading", "姓名"),
    "other columns": (xlsx([["品名", "单价", "数量"], ["课桌", 120, 30]]), "no_heading", "身份证号"),
    "no ID column": (roster(pupil(), headings=["序号", "姓名", "性别", "年级"]), "missing_columns", "身份证号"),
    "no name column": (roster(pupil(), headings=["序号", "身份证号", "性别", "年级"]), "missing_columns", "姓名"),
    "headings alone": (xlsx(grid([])), "no_rows", "没有数据"),
    "characters of no encoding": (b"\xff\x80\x81,\xfe\xff\n" * 30, "encoding", "编码"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_is_no_roster_is_refused_with_a_sentence(what):
    data, code, word = WRONG[what]
    error = refusal_of(data, "名单.xls")
    assert error.code == code
    assert word in error.message
    with translation.override("en"):
        assert error.message.isascii() or code in ("no_heading", "missing_columns")


def test_the_name_of_a_file_says_nothing():
    assert read_roster(roster(pupil()), "名单.csv").format == "xlsx"
    assert read_roster(csv_text(grid([pupil()])).encode(), "名单.xlsx").format == "csv"


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["xlsx", "xls", "with_password"])
def test_a_file_that_was_cut_off_is_damaged(kind, share):
    def fill(sheet):
        for number, row in enumerate(grid(pupils(60))):
            for column, cell in enumerate(row):
                sheet.write(number, column, cell)

    data = {"xlsx": lambda: roster(*pupils(60)), "xls": lambda: old_workbook(fill), "with_password": with_password}[
        kind
    ]()
    error = refusal_of(data[: int(len(data) * share)])
    assert error.code == "damaged" or (kind == "with_password" and error.code == "password")


@pytest.mark.parametrize("part", ["sheet1", "strings", "book"])
def test_a_workbook_with_broken_xml_is_damaged(part):
    data = roster(*pupils(3))
    assert refusal_of(repacked(data, **{part: lambda xml: xml[: len(xml) // 2]})).code == "damaged"


def test_a_workbook_with_a_changed_byte_is_damaged():
    data = bytearray(roster(*pupils(200)))
    data[len(data) // 3] ^= 0xFF
    assert refusal_of(bytes(data)).code == "damaged"


def test_a_shared_text_that_does_not_exist_is_damage():
    data = repacked(roster(pupil()), sheet1=lambda xml: xml.replace(b"<v>0</v>", b"<v>99999</v>"))
    assert refusal_of(data).code == "damaged"


def test_a_file_of_60_mb_is_refused_before_it_is_read(tmp_path: Path):
    file = tmp_path / "名单.xlsx"
    with file.open("wb") as handle:
        handle.truncate(60 * 1024 * 1024)
    tracemalloc.start()
    error = refusal_of(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (error.code, error.params["size"], error.params["limit"]) == ("too_big", 60, 50)
    assert peak < 1024 * 1024
    assert refusal_of(bytes(MAX_BYTES + 1)).code == "too_big"


# ---------------------------------------------------------------- bombs


def test_a_zip_bomb_is_refused_by_what_its_directory_says():
    bomb = repacked(roster(pupil()), sheet1=lambda xml: xml + b" " * (70 * 1024 * 1024))
    assert len(bomb) < 300_000
    error = refusal_of(bomb)
    assert (error.code, error.params["limit"]) == ("swollen", 400)


def lying_about_size(data: bytes, path: str, claimed: int) -> bytes:
    """The workbook with a smaller unpacked size written into its directory and its local header."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(path)
        local = info.header_offset
    out = bytearray(data)
    name = path.encode()
    out[local + 22 : local + 26] = struct.pack("<I", claimed)
    entry = data.index(b"PK\x01\x02")
    while data[entry + 46 : entry + 46 + len(name)] != name:
        entry = data.index(b"PK\x01\x02", entry + 4)
    out[entry + 24 : entry + 28] = struct.pack("<I", claimed)
    return bytes(out)


def test_a_bomb_that_lies_about_its_size_is_stopped_at_that_size():
    bomb = repacked(roster(pupil()), sheet1=lambda xml: xml + b" " * (70 * 1024 * 1024))
    tracemalloc.start()
    error = refusal_of(lying_about_size(bomb, "xl/worksheets/sheet1.xml", 2000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.code == "damaged"
    assert peak < 20 * 1024 * 1024


def test_entities_in_xml_are_refused_unexpanded():
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(8)
    )
    data = repacked(roster(pupil()), sheet1=lambda xml: xml.replace(b"?>", b"?>" + laughs + b"]>", 1))
    assert refusal_of(data).code == "damaged"


def test_a_value_in_the_last_cell_of_the_sheet_takes_no_memory():
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for row in grid(pupils(3)):
        sheet.append(row)
    sheet["XFD1048576"] = "x"
    output = io.BytesIO()
    workbook.save(output)
    tracemalloc.start()
    table = read_roster(output.getvalue(), "名单.xlsx")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row.row for row in table.rows] == [2, 3, 4]
    assert peak < 20 * 1024 * 1024


def test_one_long_text_in_many_cells_is_kept_once():
    long = "字" * 30_000
    rows = [pupil(order, 备注=long) for order in range(1_000)]
    data = roster(*rows)
    assert len(data) < 2_000_000
    tracemalloc.start()
    table = read_roster(data, "名单.xlsx")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(table.rows) == 1_000
    assert peak < 30 * 1024 * 1024


def test_formatted_rows_down_to_the_last_one_are_not_read_through():
    def blanks(xml: bytes) -> bytes:
        rows = b"".join(
            b'<row r="%d" s="1" customFormat="1"><c r="A%d" s="1"/></row>' % (n, n) for n in range(5, 400_000)
        )
        return xml.replace(b"</sheetData>", rows + b"</sheetData>")

    table = read_roster(repacked(roster(*pupils(3)), sheet1=blanks), "名单.xlsx")
    assert len(table.rows) == 3
    assert [(note.code, note.params["row"]) for note in table.notes] == [("blank_tail", 4)]


def test_formatted_cells_far_to_the_right_are_nothing():
    def blanks(xml: bytes) -> bytes:
        cells = b"".join(b'<c r="%s2" s="1"/>' % name.encode() for name in ("AZ", "ZZ", "XFD"))
        return xml.replace(b"</row>", cells + b"</row>", 1)

    table = read_roster(repacked(roster(*pupils(3)), sheet1=blanks), "名单.xlsx")
    assert len(table.rows) == 3


def test_a_tag_without_end_is_not_kept_for_ever():
    data = repacked(
        roster(pupil()),
        sheet1=lambda xml: xml.replace(b"<sheetData>", b'<sheetData x="' + os.urandom(3).hex().encode() * 2_000_000),
    )
    assert refusal_of(data).code == "damaged"


def test_a_list_of_too_many_rows_is_refused(monkeypatch):
    assert reading.MAX_ROWS == 100_000
    monkeypatch.setattr(reading, "MAX_ROWS", 1_000)
    head, row = csv_text(grid([pupil()])).encode().splitlines(keepends=True)
    assert len(read_roster(head + row * 1_000, "名单.csv").rows) == 1_000
    for count in (1_001, 5_000):
        error = refusal_of(head + row * count)
        assert (error.code, error.params["limit"]) == ("too_many_rows", 1_000)


def test_doubled_names_inside_the_package_are_refused():
    output = io.BytesIO(roster(pupil()))
    with zipfile.ZipFile(output, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("xl/workbook.xml", b"<workbook/>")
    assert refusal_of(output.getvalue()).code == "damaged"


def test_a_part_packed_in_an_unknown_way_is_damage():
    data = bytearray(roster(pupil()))
    entry = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/worksheets/sheet1.xml"))
    data[entry + 10 : entry + 12] = struct.pack("<H", 97)
    assert refusal_of(bytes(data)).code == "damaged"


def read_or_refused(data: bytes) -> str:
    """What became of a file; any other error than a refusal with a sentence gets through."""
    try:
        return f"{len(read_roster(data, '名单.xlsx').rows)} rows"
    except RosterUnreadable as error:
        return error.message


def test_noise_at_any_place_never_ends_in_another_error():
    whole = roster(*pupils(5))
    for place in range(0, len(whole), 97):
        broken = bytearray(whole)
        broken[place] = (broken[place] + 13) % 256
        assert read_or_refused(bytes(broken))


def test_noise_in_an_old_workbook_never_ends_in_another_error():
    def fill(sheet):
        for number, row in enumerate(grid(pupils(5))):
            for column, cell in enumerate(row):
                sheet.write(number, column, cell)

    whole = old_workbook(fill)
    for place in range(0, len(whole), 211):
        broken = bytearray(whole)
        broken[place] = (broken[place] + 13) % 256
        assert read_or_refused(bytes(broken))


def test_noise_that_unpacks_is_read_or_refused():
    sheet = zipfile.ZipFile(io.BytesIO(roster(*pupils(3)))).read("xl/worksheets/sheet1.xml")
    for place in range(0, len(sheet), 53):
        broken = bytearray(sheet)
        broken[place] = (broken[place] + 5) % 256
        assert read_or_refused(repacked(roster(*pupils(3)), sheet1=bytes(broken)))


def test_every_sentence_is_there_in_both_languages():
    for sentences in (problems.UNREADABLE, problems.NOTES, problems.SKIPPED, problems.ROW, problems.KINDS):
        for code, sentence in sentences.items():
            chinese = str(sentence)
            with translation.override("en"):
                english = str(sentence)
            assert chinese != english, code
            assert any("\u4e00" <= character <= "\u9fff" for character in chinese), code
