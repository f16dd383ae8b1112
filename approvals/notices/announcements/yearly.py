"""年度结果公告: what a school year's notices came to, by school and programme, told within twenty working days.

A figure of the year is complete when the year has ended and none of its notices is still running; from that day on the
information exists, and the law gives twenty working days to publish it (政府信息公开条例 Art. 26, DOMAIN.md §6). So the
count begins on the day after the later of 31 August and the conclusion of the year's last notice. The system drafts it
and reminds; people hand it in and publish it.
"""

import secrets
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from approvals.notices import totals, wording
from approvals.notices.announcements.models import OPEN, Announcement
from approvals.notices.models import Notice
from approvals.organisations.authority import holders
from approvals.organisations.models import Organisation
from approvals.organisations.queries import county
from approvals.programmes.terms import Term
from notifications import send_all
from workflows import clock, record
from workflows.actors import SYSTEM
from workflows.clock import CHINA
from workflows.working_days import calendar

DAYS = 20
"""Working days within which a year's results are announced."""
NEAR = 5
"""Working days before the last one at which the office is reminded."""
RUNNING = ("scheduled", "published", "paused", "closed")
"""States of a notice whose result is still to come."""
PARAGRAPH = _("paragraph %(number)s of the text")


def year_ended_by(day: date) -> Term:
    """The last term of the school year that ended last before a day."""
    return Term(Term.on(day).year - 1, 2)


def complete_since(last: Term) -> date | None:
    """The day on which the figures of the year that ends with a term became complete; None while they are not."""
    notices = Notice.objects.filter(term__startswith=last.school_year)
    if notices.filter(state__in=RUNNING).exists():
        return None
    concluded = notices.aggregate(last=Max("concluded_at"))["last"]
    days = [last.ends_on, *([concluded.astimezone(CHINA).date()] if concluded else [])]
    return max(days)


def table_of(school_year: str) -> dict[str, Any]:
    """The year's figures as they are shown: a row for each school, programme and term, totals, small ones hidden."""
    found = totals.cells(school_year=school_year)

    def summed(each: totals.Total) -> list[Any]:
        return [each.label, each.count, _text(each.amount), each.hidden]

    return {
        "rows": [[cell.school_name, cell.programme_name, cell.term, cell.count, _text(cell.amount)] for cell in found],
        "programmes": [summed(each) for each in totals.by_programme(found)],
        "total": summed(totals.total("", found)),
    }


def _text(amount: Any) -> str | None:
    return None if amount is None else f"{amount:.2f}"


def draft_due() -> int:
    """Drafts the results of the year that ended last, once they are complete; returns how many were drafted."""
    today = clock.today()
    last = year_ended_by(today)
    year = last.school_year
    if Announcement.objects.filter(school_year=year).exclude(state__in=["withdrawn", "discarded"]).exists():
        return 0
    if not Notice.objects.filter(term__startswith=year, concluded_at__isnull=False).exists():
        return 0
    since = complete_since(last)
    if since is None or since >= today:
        return 0
    office, table = county(), table_of(year)
    if not table["rows"]:
        return 0
    try:
        with transaction.atomic():
            made = _draft(office, last, table, calendar().after(max(since, _withdrawn_on(year) or since), DAYS))
    except IntegrityError as error:  # another sweep was quicker
        if "one_announcement_of_a_year" not in str(error):
            raise
        return 0
    return bool(made)


def _withdrawn_on(year: str) -> date | None:
    """The day on which the year's announcement was withdrawn: what changed is published anew within twenty days."""
    when = Announcement.objects.filter(school_year=year, state="withdrawn").aggregate(last=Max("withdrawn_at"))["last"]
    return when.astimezone(CHINA).date() if when else None


def _draft(office: Organisation, last: Term, table: dict[str, Any], due_on: date) -> Announcement:
    year = wording.year_name(last.code)
    made = Announcement.objects.create(
        kind="results",
        organisation=office,
        path=office.path,
        title=f"{wording.issuer(office)}关于{year}学生资助结果的公告",
        body=body_of(year, table),
        school_year=last.school_year,
        due_on=due_on,
        table=table,
        public_id=secrets.token_hex(8),
    )
    record.write(
        "draft", "announcement", [made.pk], SYSTEM, post="system", path=made.path, states=("", made.state),
        data={"school_year": last.school_year, "due_on": due_on.isoformat()},
    )  # fmt: skip
    _tell("results_drafted", made, "drafted")
    return made


def body_of(year: str, table: dict[str, Any]) -> str:
    """The text of the announcement, which its author may change; the figures beneath it are the system's."""
    _label, count, amount, hidden = table["total"]
    money = f"，每学期资助金额合计{Decimal(amount):,.2f}元" if amount else ""
    small = f"（另有{hidden}项因人数少于{totals.LEAST}人未计入）" if hidden else ""
    return "\n".join(
        [
            f"{year}学生资助公示工作已经结束。按照政府信息公开的要求，现将各校、各项目资助结果公告如下。",
            f"全年公示结束并批准资助（认定）{count}人次{money}{small}。分校、分项目情况见下表。",
            "为保护学生个人信息，本公告不列学生姓名；"
            f"人数少于{totals.LEAST}人的只注明“少于{totals.LEAST}”，不列金额，也不计入合计。",
        ]
    )


def remind_due() -> int:
    """Reminds the office of results not yet announced, when few days are left and when they are overdue; how many."""
    today = clock.today()
    owed = Announcement.objects.filter(state__in=OPEN, due_on__isnull=False)
    told = 0
    for each in owed.filter(due_on__lte=today + timedelta(days=4 * NEAR)):
        assert each.due_on is not None
        if each.due_on < today:
            told += _once("results_overdue", each)
        elif calendar().between(today, each.due_on) <= NEAR:
            told += _once("results_near", each)
    return told


def _once(event: str, each: Announcement) -> bool:
    """Told once a draft: on the record, so that no sweep tells it again."""
    with transaction.atomic():
        locked = Announcement.objects.select_for_update(skip_locked=True).filter(pk=each.pk, state__in=OPEN).first()
        if locked is None or record.history("announcement", each.pk).filter(act=event).exists():
            return False
        record.write(event, "announcement", [each.pk], SYSTEM, post="system", path=each.path)
        _tell(event, locked, event)
    return True


def _tell(event: str, each: Announcement, cause: str) -> None:
    told = {
        person
        for permission in ("draft_announcement", "publish_announcement")
        for person in holders(permission, [each.path])[each.path]
    }
    due = wording.day_name(each.due_on) if each.due_on else ""
    send_all(event, "announcement", [(told, each.pk, f"{each.pk}:{cause}", {"name": each.title, "due": due})])
