"""Answers as a bank would write them, for the demo and for tests: every format's answer can be made and read."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple, cast
from xml.sax.saxutils import escape

from approvals.disbursement.bank.base import FAILED, PAID, Head, Order
from approvals.disbursement.bank.profiles import Profile
from approvals.disbursement.bank.registry import format_of


class Said(NamedTuple):
    """A payment with what the bank says of it; as an order, with two columns more."""

    number: int
    payee: str
    account: str
    amount: Decimal
    summary: str
    reference: str
    bank: str
    code: str
    message: str


def write_answers(said: Iterable[Said], head: Head, bank: Profile) -> bytes:
    """The answer file of a bank to the batch of `head`."""
    if bank.format == "iso20022":
        return "".join(_pain_002(said, head, bank)).encode()
    columns = {"columns": bank.answer_columns, "header": bank.read_header, "titles": bank.read_titles}
    shape = bank.model_copy(update=cast(Any, columns))
    return format_of(bank.format).write(cast(Iterable[Order], said), head, shape)


def _pain_002(said: Iterable[Said], head: Head, bank: Profile) -> Iterator[str]:
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03">'
        f"<CstmrPmtStsRpt>\n<GrpHdr><MsgId>S{head.number}</MsgId><CreDtTm>{head.at:%Y-%m-%dT%H:%M:%S}</CreDtTm></GrpHdr>"
        f"\n<OrgnlGrpInfAndSts><OrgnlMsgId>{head.number}</OrgnlMsgId><OrgnlMsgNmId>{bank.version}</OrgnlMsgNmId>"
        f"<OrgnlNbOfTxs>{head.count}</OrgnlNbOfTxs><OrgnlCtrlSum>{head.total:.2f}</OrgnlCtrlSum></OrgnlGrpInfAndSts>\n"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{head.number}</OrgnlPmtInfId>\n"
    )
    for each in said:
        paid = bank.codes[each.code].means == PAID
        status = each.code if paid else bank.code_for(FAILED)
        why = f"<AddtlInf>{escape(each.message)}</AddtlInf>" if each.message else ""
        reason = "" if paid else f"<StsRsnInf><Rsn><Cd>{each.code}</Cd></Rsn>{why}</StsRsnInf>"
        yield (
            f"<TxInfAndSts><OrgnlEndToEndId>{each.reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}"
            f'<OrgnlTxRef><Amt><InstdAmt Ccy="{bank.currency}">{each.amount:.2f}</InstdAmt></Amt>'
            f"<CdtrAcct><Id><Othr><Id>{each.account}</Id></Othr></Id></CdtrAcct></OrgnlTxRef></TxInfAndSts>\n"
        )
    yield "</OrgnlPmtInfAndSts>\n</CstmrPmtStsRpt></Document>\n"
