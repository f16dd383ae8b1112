"""The formats there are. A further one is a module with a class of `base.Format`, named here."""

from approvals.disbursement.bank.base import Format
from approvals.disbursement.bank.delimited import Delimited
from approvals.disbursement.bank.fixed_width import FixedWidth
from approvals.disbursement.bank.iso20022 import Iso20022
from approvals.disbursement.bank.sheets import Xls, Xlsx

_FORMATS: dict[str, Format] = {each.code: each for each in (Delimited(), FixedWidth(), Xls(), Xlsx(), Iso20022())}


def format_of(code: str) -> Format:
    """The format of that code. Raises KeyError."""
    return _FORMATS[code]


def formats() -> list[str]:
    """Their codes."""
    return list(_FORMATS)
