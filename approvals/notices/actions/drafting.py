"""拟稿: a notice is drafted from what waits at its step, completed by its author and handed to the signer."""

import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import IntegrityError, OperationalError, transaction
from psycopg.errors import LockNotAvailable

from approvals.notices import queries, wording
from approvals.notices.actions import lines
from approvals.notices.actions.checks import check, go, locked, write
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.refusals import Refused
from approvals.notices.steps import NAME, STEPS, NoticeStep
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.organisations.queries import county
from approvals.programmes.models import Programme, ProgrammeVersion
from workflows import record
from workflows.clock import moment
from workflows.models import Case


class Subject(NamedTuple):
    """What a notice is about: a programme and term of an office; of one class, where the step lists classes."""

    rules: NoticeStep
    organisation: Organisation
    programme: Programme
    term: str
    group: queries.Group


def draft(
    step: str,
    organisation: Organisation,
    programme: Programme,
    term: str,
    by: UserActor,
    case_ids: Iterable[int] | None = None,
    *,
    group: queries.Group | None = None,
    supplements: int | None = None,
) -> Notice:
    """Drafts a notice of an office from these cases, or from all that wait at the step and are on no notice.

    `group` is the class, (grade, class), at a step that has a list for each. `supplements` makes it a supplementary
    notice (补充公示) to an original that is or was public; so is one with a case that stood on a public list of this
    step before, asked or not: what is changed after publication is noticed as a supplement. Text, columns and length
    come from the programme, the contact from the office. Raises Refused: two officers who draft the same cases at
    once get one notice.
    """
    rules = STEPS[step]
    if organisation.kind != rules.organisation:
        raise Refused("wrong_office")
    post = by.require(rules.draft, organisation.path)
    try:
        with transaction.atomic():
            cases, found = _take(rules, organisation, programme, term, case_ids, group)
            about = Subject(rules, organisation, programme, term, found)
            notice = _new(about, by, cases, _original(about, cases, supplements))
            lines.write_lines(notice, [case.pk for case in cases])
            record.write(
                "draft",
                "notice",
                [notice.pk],
                by,
                post=post,
                step=step,
                path=notice.path,
                states=("", notice.state),
                data={"lines": notice.line_count}
                | ({"supplements": notice.supplements.public_id} if notice.supplements else {}),
            )
    except IntegrityError as error:
        if "one_open_notice_per_case" not in str(error):
            raise
        raise Refused("already_listed", count=1) from error
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        raise Refused("busy") from error
    return notice


def _take(
    rules: NoticeStep,
    organisation: Organisation,
    programme: Programme,
    term: str,
    case_ids: Iterable[int] | None,
    group: queries.Group | None,
) -> tuple[list[Case], queries.Group]:
    """Locks the cases, then looks which of them are on a notice by now; with the class that they are of."""
    wanted = None if case_ids is None else set(case_ids)
    waiting = queries.standing(rules, organisation.path, programme.pk, term, wanted, group if rules.by_class else None)
    cases = list(waiting.order_by("pk").select_for_update(of=("self",), no_key=True))
    if wanted is not None and len(cases) < len(wanted):
        raise Refused("not_waiting", count=len(wanted) - len(cases))
    taken = NoticeLine.objects.filter(case__in=cases, step=rules.name, open=True).count()
    if taken:
        raise Refused("already_listed", count=taken)
    if not cases:
        raise Refused("nothing_waits")
    groups = queries.groups_of(case.pk for case in cases) if rules.by_class else {("", "")}
    if len(groups) > 1:
        raise Refused("several_classes")
    return cases, groups.pop()


def _original(about: Subject, cases: Sequence[Case], asked: int | None) -> Notice | None:
    """The notice that this one supplements. Raises Refused where the one that was asked for is none to supplement."""
    possible = queries.originals(about.rules, about.organisation, about.programme.pk, about.term, about.group)
    if asked is not None:
        original = possible.filter(pk=asked).first()
        if original is None:
            raise Refused("not_supplementable")
        return original
    stood = NoticeLine.objects.filter(case__in=cases, step=about.rules.name, open=False)
    held = stood.exclude(notice__published_at=None).order_by("-notice").values_list("notice", "notice__supplements")
    for notice, root in held[:1]:
        return possible.filter(pk=root or notice).first()
    return None


def _new(about: Subject, by: UserActor, cases: Sequence[Case], original: Notice | None) -> Notice:
    """The notice without its lines; its rule is that of the newest version among the cases."""
    rules, organisation, programme, term, (grade, class_name) = about
    version = ProgrammeVersion.objects.get(programme=programme, number=max(case.programme_version for case in cases))
    rule = version.rules.notices.get(rules.name)
    if rule is None:
        raise Refused("no_notice_here")
    kind = version.rules.disbursement
    issuer = wording.issuer(organisation) + wording.class_of(grade, class_name)
    title = wording.title(issuer, version.rules.project, term, kind, supplementary=original is not None)
    return Notice.objects.create(
        step=rules.name,
        organisation=organisation,
        path=organisation.path,
        programme=programme,
        term=term,
        grade=grade,
        class_name=class_name,
        supplements=original,
        subject=version.rules.project,
        kind=kind,
        title=_told_apart(title, rules, organisation, term, by),
        columns=list(rule.columns),
        mask_names=rules.masked or rule.mask_names,
        days=rule.days,
        day_kind=rule.day_kind,
        contact=organisation.contact,
        contact_phone=organisation.contact_phone,
        contact_place=organisation.contact_place,
        supervision_phone=county().contact_phone,
        drafted_by=by.user,
        drafted_person=by.user.person,
        public_id=secrets.token_hex(8),
    )


def _told_apart(title: str, rules: NoticeStep, organisation: Organisation, term: str, by: UserActor) -> str:
    """The title, numbered where the office has notices of that title already.

    The public must tell them apart and must not read a pupil's circumstances from a title, so the number follows
    the order of drafting and not the programme. A first one that is still a draft becomes 之一.
    """
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)  # two drafts get two numbers
    alike = Notice.objects.filter(step=rules.name, organisation=organisation, term=term, title__startswith=title)
    others = list(
        alike.exclude(state="voided").defer("frozen").order_by("pk").select_for_update(of=("self",), no_key=True)
    )
    if not others:
        return title
    first = others[0]
    if len(others) == 1 and first.state == "draft" and first.title == title:
        first.title = wording.numbered(title, 1)
        first.save(update_fields=["title"])
        write(first, "edit", by, by.require(rules.draft, organisation.path))
    return wording.numbered(title, len(others) + 1)


def edit(
    notice_id: int,
    by: UserActor,
    *,
    title: str,
    remark: str,
    contact: str,
    contact_phone: str,
    contact_place: str,
    columns: Sequence[str] | None = None,
) -> Notice:
    """Changes what an author may change of a draft, or of a notice taken out of view: title, remark, the contact.

    `columns`: those of the programme's columns that are shown; a list that leaked something may do without one.
    Raises Refused.
    """
    with transaction.atomic():
        notice = locked(notice_id)
        post = by.require(STEPS[notice.step].draft, notice.path)
        if notice.state not in ("draft", "paused"):
            raise Refused("wrong_state")
        if not title.strip():
            raise Refused("title_missing")
        notice.title, notice.remark = title.strip(), remark.strip()
        notice.contact, notice.contact_phone = contact.strip(), contact_phone.strip()
        notice.contact_place = contact_place.strip()
        if columns is not None:
            notice.columns = _chosen(notice, columns)
        notice.save(update_fields=["title", "remark", "contact", "contact_phone", "contact_place", "columns"])
        if columns is not None:
            lines.show_anew(notice)
        write(notice, "edit", by, post, data={"columns": notice.columns} if columns is not None else None)
    return notice


def _chosen(notice: Notice, columns: Sequence[str]) -> list[str]:
    """The chosen columns in the programme's order. Raises Refused for one that the programme does not show."""
    given = queries.columns_of(notice)
    if beyond := [heading for heading in columns if heading not in given]:
        raise Refused("column_not_allowed", columns="、".join(beyond))
    if NAME not in columns:
        raise Refused("name_needed")
    return [heading for heading in given if heading in columns]


def submit(notice_id: int, by: UserActor) -> Notice:
    """送审: a draft goes to the signer, once it is complete and shows nothing private. Raises Refused.

    A notice that was taken out of view is shown anew, from the applications as they are now, before it is signed again.
    """
    with transaction.atomic():
        notice = locked(notice_id)
        was = notice.state
        post = by.require(STEPS[notice.step].draft, notice.path)
        go(notice, "submit")
        if was == "paused":
            lines.show_anew(notice)
        else:
            lines.renumber(notice)
        check(notice, moment().date)
        lines.recount(notice)
        write(notice, "submit", by, post, states=(was, notice.state))
    return notice
