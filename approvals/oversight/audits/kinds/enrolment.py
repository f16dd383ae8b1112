"""Whether whom was paid was there at all: A1, A8, A15."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from approvals.applications.sources.registry import kind_of
from approvals.oversight.audits import base
from approvals.oversight.audits.base import (
    LINE,
    OFFICE,
    PAID,
    RECORD,
    STUDENT,
    of_line,
    on_list,
    term_ends,
    term_starts,
)
from approvals.oversight.audits.registry import register
from approvals.people.registers import DECEASED, DUAL_ENROLMENT


@register
class InventedPupils(base.Audit):
    code = "A1"
    title = _("Invented pupils, schools that were not open")
    asks = _("Money was paid for somebody who was not on the enrolment register in that term.")
    law = _("False claims: Regulations on Penalties for Fiscal Violations, Art. 6")
    deadline, severity = 5, base.HIGH
    says = {
        "not_on_roll": _("Paid for %(term)s (%(programme)s), but not confirmed against the enrolment register."),
        "school_not_open": _("Paid for %(term)s (%(programme)s) at a school that did not exist in that term."),
    }
    statement = f"""
        {of_line("not_on_roll")}
          FROM {LINE} l JOIN {STUDENT} s ON s.id = l.student_id WHERE l.state IN {PAID} AND NOT s.verified
        UNION ALL
        {of_line("school_not_open")}
          FROM {LINE} l JOIN {OFFICE} o ON o.id = l.school_id
         WHERE l.state IN {PAID} AND (o.valid_from > {term_ends("l.term")} OR o.valid_to < {term_starts("l.term")})
    """


_DIED = "CASE WHEN e.told ->> 'on' ~ '^\\d{4}-\\d\\d-\\d\\d$' THEN (e.told ->> 'on')::date END"


@register
class PaidToTheDead(base.Audit):
    code = "A8"
    title = _("Payments to the dead")
    asks = _("The pupil had died, or the registration was cancelled, before the term that was paid for began.")
    law = _("False claims: Regulations on Penalties for Fiscal Violations, Art. 6; recover the money")
    deadline, severity = 3, base.HIGH
    says = {
        "deceased": _("On the list of deaths (%(on)s) before %(term)s began, which was paid for (%(programme)s)."),
        "deceased_waived": _(
            "On the list of deaths (%(on)s) before %(term)s began, which was paid for (%(programme)s); the re-check"
            " had waived it."
        ),
    }
    statement = f"""
        {
        of_line(
            f"CASE WHEN {base.waived(DECEASED)} THEN 'deceased_waived' ELSE 'deceased' END",
            "jsonb_build_object('on', COALESCE(e.told ->> 'on', ''))",
        )
    }
          FROM {LINE} l JOIN {STUDENT} s ON s.id = l.student_id {on_list(DECEASED, "s.id_hash")}
         WHERE l.state IN {PAID} AND COALESCE({_DIED}, r.as_of) < {term_starts("l.term")}
    """


@register
class PaidAfterLeaving(base.Audit):
    code = "A15"
    title = _("Paid after leaving, or on two rolls")
    asks = _("The award had ended before the term began, or the pupil is on the roll of another school too.")
    law = _("Widened scope of spending: Regulations on Penalties for Fiscal Violations, Art. 6")
    deadline, severity = 5, base.HIGH
    says = {
        "ended": _("The award (%(programme)s) ended on %(on)s; %(term)s was paid for all the same."),
        "dual": _("Also on the roll of %(schools)s; paid for %(term)s (%(programme)s)."),
        "dual_waived": _(
            "Also on the roll of %(schools)s; paid for %(term)s (%(programme)s); the re-check had waived it."
        ),
    }
    gaps = (_("Transfers within the county are not judged: no days of changes of enrolment are kept yet."),)
    statement = f"""
        {of_line("ended", "jsonb_build_object('on', ended.on)")}
          FROM {LINE} l
          JOIN (SELECT about_id, max((business_at AT TIME ZONE 'Asia/Shanghai')::date) AS on
                  FROM {RECORD}
                 WHERE about = 'award' AND state_to IN ('suspended', 'terminated', 'transferred_out')
                 GROUP BY about_id) ended ON ended.about_id = l.award_id
          JOIN {base.AWARD} a ON a.id = l.award_id AND a.state IN ('suspended', 'terminated', 'transferred_out')
         WHERE l.state IN {PAID} AND ended.on <= {term_starts("l.term")}
        UNION ALL
        {
        of_line(
            f"CASE WHEN {base.waived(DUAL_ENROLMENT)} THEN 'dual_waived' ELSE 'dual' END",
            "jsonb_build_object('schools', other.schools)",
        )
    }
          FROM {LINE} l JOIN (
               SELECT s.id, s.school_id, jsonb_agg(DISTINCT e.told ->> 'school') AS schools
                 FROM {STUDENT} s {on_list(DUAL_ENROLMENT, "s.id_hash")}
                WHERE NOT EXISTS (
                      SELECT FROM unnest(%(dual_enrolment_schools)s::bigint[], %(dual_enrolment_names)s::text[])
                                  AS own (school, name)
                       WHERE own.school = s.school_id AND own.name IN (e.name, NULLIF(e.household_no, '')))
                GROUP BY s.id) other ON other.id = l.student_id
         WHERE l.state IN {PAID} AND {term_ends("l.term")} >= %(on)s
    """

    def params(self, on: date) -> dict[str, Any]:
        """The list of two rolls is of today, and is asked of terms that have not ended."""
        kind = kind_of(DUAL_ENROLMENT)
        return (kind.params() if kind else {}) | {"on": on}
