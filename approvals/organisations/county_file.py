"""What the file of a county's offices and schools may say (`fixtures/organisations/*.yaml`, DOMAIN.md §2.10)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from approvals.organisations.models import Kind, SchoolForm
from approvals.organisations.stages import STAGES

SCHOOL_TYPES = {"21": {"primary"}, "31": {"junior"}, "34": {"senior"}, "36": {"voc"}, "51": {"special"}}
"""The type of school in the first two digits of its identification code, and the stage it teaches."""


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CountyFileError(ValueError):
    """A file that describes no county; the message names the file and every field that is wrong."""


def _form(value: str) -> str:
    if value and value not in SchoolForm.values:
        raise ValueError(f"unknown form; known are {', '.join(SchoolForm.values)}")
    return value


def _stage(value: str) -> str:
    if value not in STAGES:
        raise ValueError(f"unknown stage; known are {', '.join(STAGES)}")
    return value


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Former(Part):
    """A code and name borne for a while."""

    code: Annotated[str, Field(pattern=r"^\d{9,12}$")]
    name: Annotated[str, Field(min_length=2, max_length=80)]
    valid_from: date
    valid_to: date


class Office(Part):
    """What offices and schools have in common; the contact is the one that public notices name."""

    name: Annotated[str, Field(min_length=2, max_length=80)]
    valid_from: date | None = None
    valid_to: date | None = None
    contact: Annotated[str, Field(max_length=40)] = ""
    contact_phone: Annotated[str, Field(max_length=30)] = ""
    contact_place: Annotated[str, Field(max_length=80)] = ""
    former: list[Former] = []


class School(Office):
    """A school with its 10-digit identification code."""

    code: Annotated[str, Field(pattern=r"^\d{10}$")]
    form: Annotated[str, AfterValidator(_form)] = ""
    stages: Annotated[list[Annotated[str, AfterValidator(_stage)]], Field(min_length=1)]
    boarding: bool = False

    @model_validator(mode="after")
    def _code_tells_the_stage(self) -> "School":
        if not SCHOOL_TYPES.get(self.code[:2], set()) & set(self.stages):
            raise ValueError(f"code {self.code} is not that of a school with the stages {', '.join(self.stages)}")
        return self


class Township(Office):
    """A township with its 9-digit statistical code, and the schools under it."""

    code: Annotated[str, Field(pattern=r"^\d{9}$")]
    schools: list[School]


class County(Office):
    """The county with its division code, and the schools that it runs itself."""

    code: Annotated[str, Field(pattern=r"^\d{6}$")]
    schools: list[School]


class CountyFile(Part):
    """A county, its townships, their schools."""

    founded: date
    """First day of whatever names none of its own."""
    county: County
    townships: list[Township]

    @model_validator(mode="after")
    def _codes_are_unique(self) -> "CountyFile":
        seen: set[str] = set()
        for _, _, office in self.offices():
            if office.code in seen:
                raise ValueError(f"code {office.code} is given twice")
            seen.add(office.code)
        return self

    def offices(self) -> Iterator[tuple[str, str, County | Township | School]]:
        """(code of the office above, kind, office), each after the one above it."""
        yield "", Kind.COUNTY, self.county
        yield from ((self.county.code, Kind.SCHOOL, school) for school in self.county.schools)
        for township in self.townships:
            yield self.county.code, Kind.TOWNSHIP, township
            yield from ((township.code, Kind.SCHOOL, school) for school in township.schools)


def read_file(path: Path) -> CountyFile:
    """The county in a YAML file. Raises CountyFileError."""
    try:
        return CountyFile.model_validate(yaml.load(path.read_text(encoding="utf-8"), _Loader))  # noqa: S506 a safe one
    except yaml.YAMLError as error:
        raise CountyFileError(f"{path.name}: {error}") from error
    except ValidationError as error:
        lines = (
            f"{path.name}: {'.'.join(map(str, problem['loc'])) or 'the file'}: "
            f"{problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_url=False)
        )
        raise CountyFileError("\n".join(lines)) from error
