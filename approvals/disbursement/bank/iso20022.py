"""ISO 20022: pain.001 to the bank; pain.002 (status) and camt.054 (booked, returned) from it.

Elements stand in the order of the published schemas, against which the tests validate them. Names of the messages
are not looked at by version: banks answer in an older or newer one than they are asked in.
"""

import re
from collections.abc import Iterable, Iterator
from xml.parsers import expat
from xml.sax.saxutils import escape

from approvals.disbursement.bank.base import BOUNCED, Head, Order, Read, Row
from approvals.disbursement.bank.profiles import Profile
from approvals.disbursement.bank.texts import decoded, kind_of, one_line
from approvals.disbursement.refusals import Refused

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
LIMITS = {"MsgId": 35, "EndToEndId": 35, "Nm": 140, "Id": 34, "Ustrd": 140}
"""Characters that the schema allows."""


class Iso20022:
    """One group of payments from one account."""

    code = "iso20022"
    most = 200_000

    def lacks(self, bank: Profile) -> Iterator[str]:
        if not bank.version:
            yield "version: is missing"
        if bank.payer is None:
            yield "payer: is missing"
        if bank.amount != "yuan":
            yield "amount: is in yuan for this format"
        if bank.encoding != "utf-8":
            yield "encoding: is utf-8 for this format"

    def write(self, orders: Iterable[Order], head: Head, bank: Profile) -> bytes:
        return "".join(_parts(orders, head, bank)).encode()

    def read(self, content: bytes, bank: Profile) -> Read:
        if kind := kind_of(content):
            raise Refused("return_kind", kind=kind, wanted=bank.name)
        text = _DECLARATION.sub("", decoded(content))
        if not text.strip():
            raise Refused("return_empty")
        if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
            raise Refused("return_no_xml", bank=bank.name)
        reading = _Reading()
        reading.feed(text, bank)
        if not reading.rows:
            raise Refused("return_no_xml", bank=bank.name)
        return Read(reading.control(), iter(reading.rows))


# ---------------------------------------------------------------- writing


def _parts(orders: Iterable[Order], head: Head, bank: Profile) -> Iterator[str]:
    assert bank.payer is not None
    newer = bank.version.endswith(".09")
    day = f"{head.at:%Y-%m-%d}"
    sums = f"<NbOfTxs>{head.count}</NbOfTxs><CtrlSum>{head.total:.2f}</CtrlSum>"
    agent = f"<FinInstnId>{_tag('Nm', bank.payer.bank, 0)}</FinInstnId>"
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{bank.version}">'
        f"<CstmrCdtTrfInitn>\n<GrpHdr>{_tag('MsgId', head.number, 0)}<CreDtTm>{head.at:%Y-%m-%dT%H:%M:%S}</CreDtTm>"
        f"{sums}<InitgPty>{_tag('Nm', bank.payer.name, 0)}</InitgPty></GrpHdr>\n"
        f"<PmtInf><PmtInfId>{escape(head.number)}</PmtInfId><PmtMtd>TRF</PmtMtd>{sums}"
        f"<ReqdExctnDt>{f'<Dt>{day}</Dt>' if newer else day}</ReqdExctnDt>"
        f"<Dbtr>{_tag('Nm', bank.payer.name, 0)}</Dbtr>"
        f"<DbtrAcct><Id><Othr>{_tag('Id', bank.payer.account, 0)}</Othr></Id></DbtrAcct><DbtrAgt>{agent}</DbtrAgt>\n"
    )
    for order in orders:
        n = order.number
        theirs = f"<CdtrAgt><FinInstnId>{_tag('Nm', order.bank, n)}</FinInstnId></CdtrAgt>" if order.bank else ""
        yield (
            f"<CdtTrfTxInf><PmtId>{_tag('EndToEndId', order.reference, n)}</PmtId>"
            f'<Amt><InstdAmt Ccy="{bank.currency}">{order.amount:.2f}</InstdAmt></Amt>{theirs}'
            f"<Cdtr>{_tag('Nm', order.payee, n)}</Cdtr>"
            f"<CdtrAcct><Id><Othr>{_tag('Id', order.account, n)}</Othr></Id></CdtrAcct>"
            f"<RmtInf>{_tag('Ustrd', order.summary, n)}</RmtInf></CdtTrfTxInf>\n"
        )
    yield "</PmtInf>\n</CstmrCdtTrfInitn></Document>\n"


def _tag(name: str, value: str, number: int) -> str:
    text = one_line(value)
    if not 0 < len(text) <= LIMITS[name]:
        raise Refused("export_too_long", line=number, column=name, length=len(text), width=LIMITS[name])
    return f"<{name}>{escape(text)}</{name}>"


# ---------------------------------------------------------------- reading

_WANTED = {
    "OrgnlEndToEndId": "reference", "EndToEndId": "reference", "TxSts": "status", "AddtlInf": "message",
    "InstdAmt": "amount", "Amt": "amount", "OrgnlNbOfTxs": "count", "OrgnlCtrlSum": "total",
    "CdtDbtInd": "direction",
}  # fmt: skip
_PAYMENTS = ("TxInfAndSts", "TxDtls")
_MOST_DEEP = 60


class _Reading:
    """Collects the payments of a message while it is parsed; nothing is kept of what is not asked for."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._header: dict[str, str] = {}
        self._entry: dict[str, str] = {}
        self._now: dict[str, str] | None = None

    def feed(self, text: str, bank: Profile) -> None:
        """Parses the whole text. Raises Refused where it is no complete XML."""
        parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text.append
        try:
            parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            raise Refused("return_broken_xml", line=error.lineno, bank=bank.name) from None

    def control(self) -> dict[str, str] | None:
        """Count and total of the original, where the message repeats both."""
        return self._header if {"count", "total"} <= self._header.keys() else None

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        name = name.rpartition(" ")[2]
        self._path.append(name)
        self._text.clear()
        if len(self._path) > _MOST_DEEP:
            raise Refused("return_unreadable", line=len(self.rows) + 1)
        if name in _PAYMENTS:
            self._now = {}
        elif name == "Ntry":
            self._entry = {}

    def _end(self, name: str) -> None:
        path, name = self._path, name.rpartition(" ")[2]
        text = "".join(self._text).strip()
        self._text.clear()
        path.pop()
        if name in _PAYMENTS and self._now is not None:
            self.rows.append(self._row(self._now))
            self._now = None
        elif text:
            self._keep(name, text, path)

    def _keep(self, name: str, text: str, path: list[str]) -> None:
        now = self._now
        if now is None:
            target = self._entry if "Ntry" in path else self._header
            target.setdefault(_WANTED.get(name, name), text)
        elif name in _WANTED:
            now.setdefault(_WANTED[name], text)
        elif name in ("Cd", "Prtry") and path[-1:] == ["Rsn"]:
            now.setdefault("reason", text)
            if "RtrInf" in path:
                now["returned"] = "yes"
        elif name in ("Id", "IBAN") and "CdtrAcct" in path:
            now.setdefault("account", text)

    def _row(self, found: dict[str, str]) -> Row:
        """A payment as the other formats tell it: the code is the bank's reason where it gives one, else its status."""
        code = found.get("reason") or found.get("status") or self._entry.get("Sts", "BOOK")
        cells = {name: found[name] for name in ("reference", "amount", "account") if name in found}
        cells |= {"code": code, "message": found.get("message", "")}
        return Row(len(self.rows) + 1, cells, BOUNCED if "returned" in found else "")
