"""The record: one line for every act that is not a decision of a case (those are written by `decide`)."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import QuerySet

from workflows.actors import SYSTEM, Actor
from workflows.clock import Moment, moment
from workflows.copying import copy, fields, line
from workflows.models import Record
from workflows.reasons import Reason
from workflows.requests import request_id


def write(
    act: str,
    about: str,
    about_ids: Iterable[int],
    by: Actor,
    *,
    post: str = "",
    step: str = "",
    states: tuple[str, str] = ("", ""),
    reason: Reason | None = None,
    data: dict[str, Any] | None = None,
    path: str = "",
    at: Moment | None = None,
) -> None:
    """Appends one line per subject in the caller's transaction. No personal data belongs in `data`."""
    at = at or moment()
    Record.objects.bulk_create(
        [
            Record(
                at=at.machine,
                business_at=at.business,
                actor=by.key,
                actor_name=by.name,
                post=post,
                act=act,
                about=about,
                about_id=about_id,
                step=step,
                state_from=states[0],
                state_to=states[1],
                reason_code=reason.code if reason else "",
                reason_text=reason.text if reason else "",
                data=data or {},
                path=path,
                request_id=request_id(),
            )
            for about_id in about_ids
        ],
        batch_size=2000,
    )


class Line(NamedTuple):
    """One subject of an act on many: its key and office path, the post acted under, the task and the step."""

    about_id: int
    path: str
    post: str = ""
    item: int | None = None
    step: str = ""


def write_lines(
    act: str,
    about: str,
    lines: Iterable[Line],
    by: Actor,
    *,
    states: tuple[str, str] = ("", ""),
    reason: Reason | None = None,
    data: dict[str, Any] | None = None,
    at: Moment | None = None,
) -> None:
    """`write` for subjects of several offices, each with the post under which it was done."""
    at = at or moment()
    Record.objects.bulk_create(
        [
            Record(
                at=at.machine,
                business_at=at.business,
                actor=by.key,
                actor_name=by.name,
                act=act,
                about=about,
                state_from=states[0],
                state_to=states[1],
                reason_code=reason.code if reason else "",
                reason_text=reason.text if reason else "",
                data=data or {},
                request_id=request_id(),
                **line._asdict(),
            )
            for line in lines
        ],
        batch_size=2000,
    )


class Told(NamedTuple):
    """One subject of an act done by the system on many: its key, its office path, what is said of it alone (JSON)."""

    about_id: int
    path: str
    data: str


_COLUMNS = (
    "at business_at actor actor_name post act about step state_from state_to reason_code reason_text request_id"
    " about_id path data"
)


def write_told(act: str, about: str, told: Iterable[Told], at: Moment | None = None) -> None:
    """Appends a line for each of many subjects of whom different things are said; the system's, thousands at once."""
    at = at or moment()
    same = fields(
        (at.machine, at.business, SYSTEM.key, SYSTEM.name, "system", act, about, "", "", "", "", "", request_id())
    )
    copy(Record, _COLUMNS, (f"{same}\t{line(each)}" for each in told))


def history(about: str, about_id: int) -> QuerySet[Record]:
    """Everything that was done to one subject, oldest first."""
    return Record.objects.filter(about=about, about_id=about_id).order_by("id")


def latest(about: str, about_id: int) -> int:
    """Key of the newest line about a subject; 0 for none. Names a cause when somebody is told of it."""
    return (
        Record.objects.filter(about=about, about_id=about_id).order_by("-id").values_list("id", flat=True).first() or 0
    )
