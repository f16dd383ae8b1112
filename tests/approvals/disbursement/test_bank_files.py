"""What every format of bank file promises, and what an answer of a bank may look like."""

import csv
import io
import re
import shutil
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sepaxml
import xlrd
import xmlschema
import yaml
from django.utils import translation
from openpyxl import load_workbook

from approvals.disbursement.bank import Answer, Head, Order, Profile, profile, profiles, read_answers, write_orders
from approvals.disbursement.bank.demo import Said, write_answers
from approvals.disbursement.bank.profiles import ProfileError, load
from approvals.disbursement.bank.registry import format_of, formats
from approvals.disbursement.refusals import Refused

BANKS = sorted(profiles())
ORDERS = [
    Order(1, "王小禾", "6219990000000000010", Decimal("625.00"), "义教补助2026秋", "20260907-0001-000001", "联社"),
    Order(2, "买买提·𠮷", "6219990000000000028", Decimal("312.50"), "义教补助2026秋", "20260907-0001-000002", "联社"),
    Order(3, "䶮㛃 Anna Li", "000123456789", Decimal("0.01"), "义教补助2026秋", "20260907-0001-000003", "联社"),
]
HEAD = Head("20260907-0001", datetime(2026, 9, 7, 9, 30, tzinfo=UTC), 3, Decimal("937.51"))


@pytest.fixture(params=BANKS)
def bank(request: pytest.FixtureRequest) -> Profile:
    return profile(request.param)


def said(bank: Profile, means: str = "paid", orders: list[Order] | None = None) -> list[Said]:
    code = bank.code_for(means)
    return [
        Said(o.number, o.payee, o.account, o.amount, "", o.reference, o.bank, code, bank.codes[code].zh)
        for o in (ORDERS if orders is None else orders)
    ]


def code_of(content: bytes, bank: Profile, most: int = 1000) -> str:
    """The code of the refusal, which has a sentence in both languages."""
    with pytest.raises(Refused) as refusal:
        read_answers(content, bank, most)
    for language in ("zh-hans", "en"):
        with translation.override(language):
            assert "%(" not in str(refusal.value)
    return refusal.value.code


# ---------------------------------------------------------------- the contract


def test_every_format_has_a_bank_that_is_tried_here() -> None:
    assert {profile(code).format for code in BANKS} == set(formats())
    assert [format_of(code).code for code in formats()] == formats()


def test_the_same_payments_give_the_same_bytes(bank: Profile) -> None:
    assert write_orders(iter(ORDERS), HEAD, bank) == write_orders(list(ORDERS), HEAD, bank) != b""


def test_an_answer_says_of_each_payment_what_the_bank_said(bank: Profile) -> None:
    for means in ("paid", "failed"):
        read = read_answers(write_answers(said(bank, means), HEAD, bank), bank)
        assert [(a.reference, a.account, a.amount, a.outcome) for a in read] == [
            (o.reference, o.account, o.amount, means) for o in ORDERS
        ]
        assert {a.code for a in read} == {bank.code_for(means)}
        assert all(a.message for a in read)
        assert len({a.line for a in read}) == 3


def test_an_empty_a_big_and_a_foreign_file_are_refused(bank: Profile) -> None:
    assert code_of(b"", bank) == "return_empty"
    assert code_of(b" \r\n\r\n", bank) == "return_empty"
    assert code_of(b"x" * (bank.largest + 1), bank) == "return_too_big"
    for content in (b"\x89PNG\r\n\x1a\n\xff\xff\xff", b"%PDF-1.7 \xff", b"\xff\xfe\x00\xd8", bytes(range(256)) * 9):
        assert code_of(content, bank).startswith("return_")


def test_a_file_that_was_cut_off_is_refused(bank: Profile) -> None:
    whole = write_answers(said(bank), HEAD, bank)
    for kept in (len(whole) // 3, len(whole) // 2, len(whole) - 90):
        assert code_of(whole[:kept], bank).startswith("return_")


def test_a_code_the_profile_does_not_know_is_never_guessed(bank: Profile) -> None:
    known = profile(bank.code)
    other = known.model_copy(update={"codes": {**known.codes, "X77X": known.codes[known.code_for("paid")]}})
    lines = [each._replace(code="X77X") for each in said(bank)]
    if bank.format == "fixed_width":
        lines = [each._replace(code="X77X"[:6]) for each in lines]
    assert code_of(write_answers(lines, HEAD, other), bank) == "return_unknown_code"


def test_more_payments_than_the_batch_has_are_refused_before_they_are_compared(bank: Profile) -> None:
    assert code_of(write_answers(said(bank), HEAD, bank), bank, most=2) == "return_too_many"


def test_a_payment_the_bank_has_not_decided_is_waited_for(bank: Profile) -> None:
    lines = said(bank)
    lines[1] = lines[1]._replace(code=bank.code_for("pending"))
    if bank.format == "iso20022":
        content = write_answers(said(bank), HEAD, bank).replace(b"<TxSts>ACSC", b"<TxSts>PDNG", 1)
    else:
        content = write_answers(lines, HEAD, bank)
    assert code_of(content, bank) == "return_pending"


def test_a_cell_neither_breaks_its_line_nor_starts_a_formula(bank: Profile) -> None:
    order = ORDERS[0]._replace(payee="=cmd|'/c calc'!A1\n王", summary="+1")
    content = write_orders([order], HEAD._replace(count=1, total=order.amount), bank)
    if bank.format == "xlsx":
        cells = [each for row in load_workbook(io.BytesIO(content)).active.iter_rows() for each in row]
        assert "f" not in {each.data_type for each in cells}
        assert any(str(each.value).startswith("'=cmd") for each in cells)
    elif bank.format == "xls":
        sheet = xlrd.open_workbook(file_contents=content).sheet_by_index(0)
        assert any(str(each.value).startswith("'=cmd") for row in sheet.get_rows() for each in row)
    elif bank.format == "delimited":
        lines = content.decode(bank.encoding).split("\r\n")
        assert len(lines) == 3
        assert lines[1].split("|")[1].startswith("'=cmd ")
    else:
        assert b"\n\xcd\xf5" not in content


def test_a_batch_larger_than_the_format_holds_is_refused(bank: Profile) -> None:
    most = format_of(bank.format).most
    with pytest.raises(Refused) as refusal:
        write_orders([], HEAD._replace(count=most + 1), bank)
    assert refusal.value.code == "export_too_many"
    assert str(most) in str(refusal.value)


# ---------------------------------------------------------------- delimited text

TEXT = "rural_credit_text"


def text_answer(*lines: str, count: int | None = None, total: str | None = None, encoding: str = "gb18030") -> bytes:
    amounts = [Decimal(line.split("|")[3]) for line in lines]
    header = f"{len(lines) if count is None else count}|{sum(amounts) if total is None else total}"
    return "\r\n".join([header, *lines, ""]).encode(encoding)


def answered(number: int = 1, amount: str = "625.00", code: str = "0000", message: str = "成功") -> str:
    return f"{number}|王小禾|6219990000000000010|{amount}|摘要|20260907-0001-{number:06d}|{code}|{message}"


def test_the_text_starts_with_count_and_total_and_survives_rare_characters() -> None:
    lines = write_orders(ORDERS, HEAD, profile(TEXT)).decode("gb18030").split("\r\n")
    assert lines[0] == "3|937.51"
    assert lines[2].split("|")[1] == "买买提·𠮷"
    assert lines[-1] == ""


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_an_answer_is_read_in_any_encoding_and_with_mixed_line_ends(encoding: str) -> None:
    text = text_answer(answered(), answered(2, "312.50", "1001", "户名不符"), encoding="utf-8").decode()
    read = read_answers(text.replace("\r\n", "\n", 1).encode(encoding), profile(TEXT))
    assert [(row.outcome, row.code, row.amount, row.message) for row in read] == [
        ("paid", "0000", Decimal("625.00"), "成功"),
        ("failed", "1001", Decimal("312.50"), "户名不符"),
    ]
    assert [row.line for row in read] == [2, 3]


def test_a_code_without_words_gets_the_sentence_of_the_profile() -> None:
    [row] = read_answers(text_answer(answered(code="1003", message="")), profile(TEXT))
    assert (row.outcome, row.message) == ("failed", "账户已销户")
    with translation.override("en"):
        assert profile(TEXT).sentence("1003") == "The account is closed"


def test_a_text_that_cannot_be_the_banks_answer_is_refused_whole_and_says_where() -> None:
    bank = profile(TEXT)
    assert code_of(text_answer(answered())[:-20], bank) == "return_columns"
    assert code_of(text_answer(answered(), total="625.01"), bank) == "return_total"
    assert code_of(text_answer(answered(), count=2), bank) == "return_count"
    assert code_of(text_answer(answered()).replace(b"|625.00|", b"|abc|"), bank) == "return_no_amount"
    assert code_of(text_answer(answered(code="7777")), bank) == "return_unknown_code"
    assert code_of(answered().encode(), bank) == "return_header"
    assert code_of(write_answers(said(profile("rural_credit_xls")), HEAD, profile("rural_credit_xls")), bank) == (
        "return_kind"
    )
    with pytest.raises(Refused) as refusal, translation.override("zh-hans"):
        read_answers(text_answer(answered(), answered(2)[:40]), bank)
    with translation.override("zh-hans"):
        assert "第 3 行" in str(refusal.value) or "第3行" in str(refusal.value)


def test_three_hundred_thousand_lines_are_refused_by_the_header_alone() -> None:
    lines = "\r\n".join(["300000|300000.00"] + ["1|a|1|1.00|s|r|0000|"] * 300_000)
    assert code_of(lines.encode(), profile(TEXT), most=2) == "return_too_many"


def test_gb18030_opens_unchanged_in_a_reader_of_csv() -> None:
    content = write_orders(ORDERS, HEAD, profile(TEXT))
    rows = list(csv.reader(io.StringIO(content.decode("gb18030")), delimiter="|"))
    assert [(row[1], row[2], row[3]) for row in rows[1:]] == [(o.payee, o.account, str(o.amount)) for o in ORDERS]


# ---------------------------------------------------------------- text of fixed width

FIXED = "agricultural_fixed"


def test_widths_are_bytes_of_gb18030_and_amounts_fen() -> None:
    lines = write_orders(ORDERS, HEAD, profile(FIXED)).split(b"\r\n")
    assert lines[0] == b"20260907-0001       20260907000000030000000000093751"
    assert {len(line) for line in lines[1:-1]} == {8 + 32 + 60 + 14 + 80 + 30}
    assert lines[2][40:100].decode("gb18030").rstrip() == "买买提·𠮷"
    assert lines[2][100:114] == b"00000000031250"


@pytest.mark.parametrize(("name", "fits"), [("禾" * 30, True), ("禾" * 29 + "𠮷", False), ("禾" * 30 + "a", False)])
def test_what_is_longer_than_its_column_is_refused_and_never_cut(name: str, fits: bool) -> None:
    order = ORDERS[0]._replace(payee=name)
    if fits:
        assert name.encode("gb18030") in write_orders([order], HEAD, profile(FIXED))
        return
    with pytest.raises(Refused) as refusal:
        write_orders([order], HEAD, profile(FIXED))
    assert refusal.value.code == "export_too_long"
    assert "户名" in str(refusal.value)


def test_a_fixed_answer_may_come_in_utf_8_without_the_blanks_at_its_ends() -> None:
    bank = profile(FIXED)
    text = write_answers(said(bank), HEAD, bank).decode("gb18030")
    trimmed = re.sub(r" +\r\n", "\r\n", text)
    assert trimmed != text
    for encoding in ("utf-8", "gb18030"):
        assert [a.outcome for a in read_answers(trimmed.encode(encoding), bank)] == ["paid"] * 3
    cut = text.split("\r\n")
    cut[2] = cut[2][:150]
    assert code_of("\r\n".join(cut).encode("gb18030"), bank) == "return_width"


# ---------------------------------------------------------------- workbooks


def sheet_rows(content: bytes, extension: str) -> list[list[Any]]:
    if extension == "xls":
        return [[each.value for each in row] for row in xlrd.open_workbook(file_contents=content).sheet_by_index(0)]
    return [[each.value for each in row] for row in load_workbook(io.BytesIO(content)).active.iter_rows()]


@pytest.mark.parametrize("code", ["rural_credit_xls", "postal_savings_xlsx"])
def test_a_workbook_opens_unchanged_in_a_reader(code: str) -> None:
    bank = profile(code)
    rows = sheet_rows(write_orders(ORDERS, HEAD, bank), bank.extension)
    titles = rows[1 if bank.header else 0]
    assert titles[: len(bank.columns)] == [column.title for column in bank.columns]
    at = {column.field: n for n, column in enumerate(bank.columns)}
    read = [(row[at["payee"]], row[at["account"]], Decimal(str(row[at["amount"]]))) for row in rows[-3:]]
    assert read == [(o.payee, o.account, o.amount) for o in ORDERS]
    if bank.header:
        assert rows[0][:2] == ["3", "937.51"]


@pytest.mark.parametrize("code", ["rural_credit_xls", "postal_savings_xlsx", TEXT])
def test_libreoffice_shows_it_unchanged(code: str, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice (soffice) is not installed here")
    bank = profile(code)
    source = tmp_path / f"out.{'csv' if bank.extension == 'txt' else bank.extension}"
    source.write_bytes(write_orders(ORDERS, HEAD, bank))
    reading = ["--infilter=CSV:124,34,GB18030"] if bank.extension == "txt" else []
    subprocess.run(
        [office, "--headless", *reading, "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76", "--outdir",
         str(tmp_path / "made"), str(source)],
        check=True, timeout=120, capture_output=True,
    )  # fmt: skip
    text = (tmp_path / "made" / "out.csv").read_text(encoding="utf-8")
    assert all(order.payee in text for order in ORDERS)


def test_an_account_that_excel_made_a_number_is_refused_and_not_guessed() -> None:
    bank = profile("postal_savings_xlsx")
    book = load_workbook(io.BytesIO(write_answers(said(bank), HEAD, bank)))
    book.active.cell(row=3, column=3).value = 6219990000000000028
    made = io.BytesIO()
    book.save(made)
    assert code_of(made.getvalue(), bank) == "return_number_cell"
    assert code_of(b"PK\x03\x04 and no workbook", bank) == "return_damaged"
    assert code_of(text_answer(answered()), bank) == "return_no_workbook"


# ---------------------------------------------------------------- ISO 20022


@pytest.mark.parametrize("code", ["iso20022_v3", "iso20022_v9"])
def test_the_message_is_valid_by_the_published_schema(code: str) -> None:
    bank = profile(code)
    schema = xmlschema.XMLSchema(Path(sepaxml.__file__).parent / "schemas" / f"{bank.version}.xsd")
    content = write_orders([*ORDERS, ORDERS[0]._replace(payee="A & <B>", bank="")], HEAD._replace(count=4), bank)
    schema.validate(content.decode())
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(content.decode().replace("<PmtMtd>TRF</PmtMtd>", ""))


def camt_054(*details: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">'
        "<BkToCstmrDbtCdtNtfctn><Ntfctn><Ntry><Amt Ccy='CNY'>937.51</Amt><CdtDbtInd>CRDT</CdtDbtInd>"
        f"<Sts><Cd>BOOK</Cd></Sts><NtryDtls>{''.join(details)}</NtryDtls></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn>"
        "</Document>"
    ).encode()


def test_money_that_comes_back_is_told_by_a_camt_054() -> None:
    detail = (
        "<TxDtls><Refs><EndToEndId>20260907-0001-000002</EndToEndId></Refs><Amt Ccy='CNY'>312.50</Amt>"
        "<RltdPties><CdtrAcct><Id><Othr><Id>6219990000000000028</Id></Othr></Id></CdtrAcct></RltdPties>"
        "<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>账户已销户</AddtlInf></RtrInf></TxDtls>"
    )
    assert read_answers(camt_054(detail), profile("iso20022_v9")) == [
        Answer(1, "20260907-0001-000002", "6219990000000000028", Decimal("312.50"), "bounced", "AC04", "账户已销户")
    ]
    booked = detail[: detail.index("<RtrInf>")] + "</TxDtls>"
    [answer] = read_answers(camt_054(booked), profile("iso20022_v9"))
    assert (answer.outcome, answer.code) == ("paid", "BOOK")


def test_xml_with_entities_other_xml_and_broken_xml_are_refused() -> None:
    bank = profile("iso20022_v3")
    whole = write_answers(said(bank), HEAD, bank)
    bomb = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa">]><Document>&a;</Document>'
    assert code_of(bomb, bank) == "return_no_xml"
    assert code_of(b"<html><body>503</body></html>", bank) == "return_no_xml"
    assert code_of(whole[:-30], bank) == "return_broken_xml"
    assert code_of(b"<a>" * 5000, bank) in ("return_unreadable", "return_broken_xml")
    assert code_of(whole.replace(b"937.51", b"937.52"), bank) == "return_total"
    assert len(read_answers(whole.decode().encode("utf-16"), bank)) == 3


# ---------------------------------------------------------------- profiles


def written(tmp_path: Path, **changes: Any) -> Path:
    text = (Path(__file__).parents[3] / "fixtures" / "banks" / f"{TEXT}.yaml").read_text(encoding="utf-8")
    given = yaml.safe_load(text) | {"code": "new_bank"} | changes
    path = tmp_path / "new_bank.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in given.items() if v is not None}, allow_unicode=True), "utf-8")
    return path


def test_a_further_bank_needs_a_file_and_no_code(tmp_path: Path) -> None:
    bank = load(written(tmp_path, delimiter=",", amount="fen", encoding="utf-8-sig", header=[], titles=True))
    content = write_orders(ORDERS, HEAD, bank)
    assert content.startswith(b"\xef\xbb\xbfnumber,payee")
    assert ",62500," in content.decode("utf-8-sig")
    assert [a.amount for a in read_answers(write_answers(said(bank), HEAD, bank), bank)] == [o.amount for o in ORDERS]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": "fax"}, "'fax' is none of delimited"),
        ({"encoding": "big5"}, "new_bank.yaml: encoding: Input should be 'gb18030'"),
        ({"columns": ["payee", "amount", "reference"]}, "columns: account is missing"),
        ({"columns": ["payee", "acount", "account", "amount", "reference"]}, "'acount' is none of"),
        ({"answer_columns": ["account", "amount", "reference"]}, "answer_columns: code is missing"),
        ({"codes": {"1": {"means": "failed", "zh": "失败", "en": "Failed"}}}, "codes: none means paid"),
        ({"codes": {"1": {"means": "maybe", "zh": "失败", "en": "Failed"}}}, "new_bank.yaml: codes.1.means:"),
        ({"format": "fixed_width"}, "columns.0: width is missing"),
        ({"format": "iso20022"}, "payer: is missing"),
        ({"format": "xls"}, "extension: is xls"),
        ({"name": None}, "new_bank.yaml: name: Field required"),
        ({"colour": "red"}, "new_bank.yaml: colour: Extra inputs"),
        ({"code": "other"}, "is not the name of the file"),
        ({"header": ["count", "sum"]}, "'sum' is none of"),
    ],
)
def test_a_profile_that_is_wrong_says_where(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ProfileError) as error:
        load(written(tmp_path, **changes))
    assert says in str(error.value)


def test_a_file_that_is_no_yaml_says_so(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("code: [", encoding="utf-8")
    with pytest.raises(ProfileError, match=r"broken.yaml: is not YAML"):
        load(path)
