"""How each bank wants its files: `fixtures/banks/*.yaml`, checked by this schema when they are loaded.

A further bank of a known format is a further file there and needs no code.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from django.conf import settings
from django.utils.translation import get_language
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

ORDER_FIELDS = ("number", "payee", "account", "amount", "summary", "reference", "bank", "date")
ANSWER_FIELDS = ("number", "payee", "account", "amount", "summary", "reference", "bank", "date", "code", "message")
HEADER_FIELDS = ("count", "total", "number", "date")
Text = Annotated[str, StringConstraints(min_length=1, max_length=120)]


class ProfileError(Exception):
    """A profile that cannot be used; the text names file, place and what is wrong."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Column(_Part):
    """A column: one of the fields, or a fixed `text`. A name alone is short for its field.

    `width` is in bytes of the encoding and only for text of fixed width.
    """

    field: str = ""
    text: str = ""
    title: str = ""
    width: Annotated[int, Field(ge=0, le=500)] = 0
    align: Literal["left", "right"] = "left"
    pad: Annotated[str, StringConstraints(min_length=1, max_length=1, pattern="^[ -~]$")] = " "

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.title or self.field or self.text


def _column(given: Any) -> Any:
    return {"field": given} if isinstance(given, str) else given


Columns = list[Annotated[Column, BeforeValidator(_column)]]


class Code(_Part):
    """What a code in the bank's answer means for the payment, and the sentence that people are shown."""

    means: Literal["paid", "failed", "bounced", "pending"]
    zh: Text
    en: Text

    def __str__(self) -> str:
        return self.en if get_language() == "en" else self.zh


class Payer(_Part):
    """Whose account the money leaves, as ISO 20022 asks for it."""

    name: Text
    account: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,34}$")]
    bank: Text


class Profile(_Part):
    """One bank's files."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    name: Text
    format: str
    extension: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,5}$")]
    encoding: Literal["gb18030", "utf-8", "utf-8-sig"] = "utf-8"
    line_end: Literal["\r\n", "\n"] = "\r\n"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = "|"
    amount: Literal["yuan", "fen"] = "yuan"
    date_format: Text = "%Y%m%d"
    header: Columns = []
    titles: bool = False
    """Whether a line with the columns' titles stands over the payments."""
    columns: Columns = []
    answer_header: Columns | None = None
    """Where it differs from `header`."""
    answer_titles: bool | None = None
    answer_columns: Columns = []
    codes: dict[str, Code]
    largest_mb: Annotated[int, Field(ge=1, le=50)] = 20
    """Largest answer file that is read."""
    version: Literal["", "pain.001.001.03", "pain.001.001.09"] = ""
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] = "CNY"
    payer: Payer | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Profile":
        from approvals.disbursement.bank import registry  # the formats know profiles

        if self.format not in registry.formats():
            raise ValueError(f"format: {self.format!r} is none of {', '.join(registry.formats())}")
        problems = [*_unknown("header", self.header, HEADER_FIELDS), *_unknown("columns", self.columns, ORDER_FIELDS)]
        problems += _unknown("answer_header", self.answer_header or [], HEADER_FIELDS)
        problems += _unknown("answer_columns", self.answer_columns, ANSWER_FIELDS)
        if "paid" not in {code.means for code in self.codes.values()}:
            problems.append("codes: none means paid")
        problems += registry.format_of(self.format).lacks(self)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def read_header(self) -> Columns:
        """The header of an answer."""
        return self.header if self.answer_header is None else self.answer_header

    @property
    def read_titles(self) -> bool:
        """Whether an answer has a line of titles."""
        return self.titles if self.answer_titles is None else self.answer_titles

    @property
    def largest(self) -> int:
        """Bytes of the largest answer that is read."""
        return self.largest_mb * 1024 * 1024

    def code_for(self, means: str) -> str:
        """The first code with that meaning, as the demo's bank answers; empty where the bank has none."""
        return next((code for code, said in self.codes.items() if said.means == means), "")

    def sentence(self, code: str) -> str:
        """What a code says, in the language of the page; empty for one that is not known."""
        return str(self.codes[code]) if code in self.codes else ""


def _unknown(where: str, columns: Columns, known: tuple[str, ...]) -> Iterator[str]:
    for n, column in enumerate(columns):
        if bool(column.field) == bool(column.text):
            yield f"{where}.{n}: needs either a field or a text"
        elif column.field and column.field not in known:
            yield f"{where}.{n}: {column.field!r} is none of {', '.join(known)}"


def lacking(where: str, columns: Columns, *needed: str) -> Iterator[str]:
    """What `columns` must hold and do not."""
    missing = [name for name in needed if name not in {column.field for column in columns}]
    if missing:
        yield f"{where}: {', '.join(missing)} is missing"


def folder() -> Path:
    """Where the profiles are."""
    return Path(settings.BASE_DIR) / "fixtures" / "banks"


def load(path: Path) -> Profile:
    """The profile in a file. Raises ProfileError."""
    try:
        found = Profile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ProfileError(f"{path.name}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path.name}: is not YAML: {error}") from error
    except ValidationError as error:
        raise ProfileError("\n".join(_sentences(path.name, error))) from error
    if found.code != path.stem:
        raise ProfileError(f"{path.name}: code: {found.code!r} is not the name of the file")
    return found


def _sentences(file: str, error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        where = ".".join(map(str, problem["loc"])) or "the file"
        yield f"{file}: {where}: {problem['msg'].removeprefix('Value error, ')}"


@cache
def profiles() -> dict[str, Profile]:
    """Every bank's profile, by code. Raises ProfileError."""
    return {path.stem: load(path) for path in sorted(folder().glob("*.yaml"))}


def profile(code: str = "") -> Profile:
    """The profile of a bank; without a code that of the county's own (`BANK_PROFILE`). Raises KeyError."""
    return profiles()[code or settings.BANK_PROFILE]
