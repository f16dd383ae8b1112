"""Many rows at once, written as the text that PostgreSQL reads: the one place that escapes it.

psycopg can write rows too, but finds out anew for each value how; of fifty thousand rows most columns say the same,
and their text may be kept and repeated.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

_BATCH = 500
"""Lines handed to the driver at once."""

_SPECIAL = re.compile(r"[\\\n\r\t]")
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def _string(value: str) -> str:
    return value.translate(_ESCAPES) if _SPECIAL.search(value) else value


def _bytes(value: bytes) -> str:
    return r"\\x" + value.hex()


def _yes_or_no(value: bool) -> str:
    return "t" if value else "f"


def _nothing(_value: None) -> str:
    return r"\N"


class _Writers(dict[type, Callable[[Any], str]]):
    """How each type is written; a subclass (an enum of texts, say) as what it is derived from."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        for base in kind.__mro__:
            if base in self:
                self[kind] = self[base]
                return self[kind]
        raise TypeError(f"{kind.__name__} cannot be written as text for COPY")


_WRITERS = _Writers(
    {
        str: _string,
        bytes: _bytes,
        bool: _yes_or_no,
        type(None): _nothing,
        int: str,
        Decimal: str,
        date: date.isoformat,
        datetime: datetime.isoformat,
    }
)


def fields(values: Iterable[Any]) -> str:
    """Columns that follow one another, as COPY's text; to be joined by tabs into a line.

    Takes text, bytes, bool, int, Decimal, dates, moments and None, and raises TypeError for anything else: arrays
    and JSON come as text, arrays by `array`.
    """
    return "\t".join([_WRITERS[type(value)](value) for value in values])


def line(values: Iterable[Any]) -> str:
    """A whole row for `copy`, see `fields`."""
    return fields(values) + "\n"


def copy(model: Any, columns: str, lines: Iterable[str]) -> None:
    """Appends rows to a model's table; `lines` are made by `line`, with the columns (apart by spaces) in that order."""
    names = ", ".join(f'"{column}"' for column in columns.split())
    rest = iter(lines)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as stream,
    ):
        for first in rest:
            stream.write("".join(chain([first], islice(rest, _BATCH - 1))))


# ---------------------------------------------------------------- arrays, as one parameter with a cast


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def array(words: Iterable[str | None]) -> str:
    """A text[] (or what text is cast to), as PostgreSQL writes it; None is NULL."""
    return "{" + ",".join(["NULL" if word is None else _quoted(word) for word in words]) + "}"


@lru_cache(maxsize=1024)
def short_array(words: tuple[str, ...]) -> str:
    """`array` of a few words that come again and again, remembered."""
    return array(words)


def bytes_array(values: Iterable[bytes | None]) -> str:
    """A bytea[]: thousands of hashes in one parameter, which the driver need not look at one by one."""
    return "{" + ",".join(["NULL" if value is None else rf'"\\x{value.hex()}"' for value in values]) + "}"


def ints_array(values: Iterable[int]) -> str:
    """A bigint[]."""
    return "{" + ",".join(map(str, values)) + "}"


def among(keys: Iterable[int]) -> RawSQL:
    """Thousands of keys as one parameter, for `filter(pk__in=among(keys))`: a list of so many would be looked at one
    by one, by Django and by the driver.
    """
    return RawSQL("SELECT unnest(%s::bigint[])", [ints_array(keys)])
