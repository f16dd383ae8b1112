"""What the formats with columns have in common."""

from collections.abc import Iterator, Sequence

from approvals.disbursement.bank.profiles import Columns, Profile, lacking
from approvals.disbursement.refusals import Refused


def tabular_lacks(bank: Profile) -> Iterator[str]:
    """A payment needs payee, account, amount and what the answer will call it; an answer names it, with a code."""
    yield from lacking("columns", bank.columns, "payee", "account", "amount", "reference")
    yield from lacking("answer_columns", bank.answer_columns, "account", "amount", "reference", "code")
    if bank.read_header:
        yield from lacking("answer_header", bank.read_header, "count", "total")


def named(columns: Columns, line: int, cells: Sequence[str], bank: Profile) -> dict[str, str]:
    """The cells by the names of their columns. Raises Refused where there are more or fewer."""
    if len(cells) != len(columns):
        raise Refused("return_columns", line=line, found=len(cells), wanted=len(columns), bank=bank.name)
    return {column.field: text for column, text in zip(columns, cells, strict=True) if column.field}


def control_of(columns: Columns, cells: Sequence[str], bank: Profile) -> dict[str, str]:
    """The header of an answer. Raises Refused where the first line cannot be one."""
    if len(cells) != len(columns):
        raise Refused("return_header", bank=bank.name)
    return {column.field: text for column, text in zip(columns, cells, strict=True) if column.field}
