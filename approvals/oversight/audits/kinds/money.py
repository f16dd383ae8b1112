"""Whether the right sum left at the right time and in the right way: A2, A5, A9, A13, A14."""

from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from approvals.oversight.audits import base
from approvals.oversight.audits.base import (
    AWARD,
    AWARD_TERM,
    BATCH,
    LINE,
    PAID,
    RATE,
    VERSION,
    of_award,
    of_line,
    term_starts,
)
from approvals.oversight.audits.registry import register
from workflows.copying import array
from workflows.working_days import calendar

LIMIT = 20
"""Working days from the approval, or from the beginning of the term, in which money is to be paid."""
YEARS = 5
"""How far back days are counted."""
_GRANTED = "(a.granted_at AT TIME ZONE 'Asia/Shanghai')::date"


@register
class LatePayment(base.Audit):
    code = "A2"
    title = _("Money kept back or paid late")
    asks = _("More than 20 working days passed from approval to payment, or a batch's total is not that of its lines.")
    law = _("Withholding and delaying funds: Regulations on Penalties for Fiscal Violations, Art. 6")
    owner, severity = base.FINANCE, base.HIGH
    says = {
        "late": _("Due since %(since)s, to be paid by %(by)s, paid on %(on)s: %(term)s, %(programme)s."),
        "not_paid": _("Due since %(since)s, to be paid by %(by)s, not paid yet: %(term)s, %(programme)s."),
        "batch_total": _("Batch %(number)s says %(total)s yuan; its lines add up to %(sum)s."),
    }
    gaps = (_("Batches are not compared with allotments here: the ledger lets none be approved beyond them."),)
    statement = f"""
        WITH days AS (SELECT * FROM unnest(%(days)s::date[], %(due)s::date[]) AS d (since, by))
        {of_line("late", "jsonb_build_object('since', d.since, 'by', d.by, 'on', l.paid_on)")}
          FROM {LINE} l JOIN {AWARD} a ON a.id = l.award_id
          JOIN days d ON d.since = GREATEST({_GRANTED}, {term_starts("l.term")})
         WHERE l.state IN ('paid', 'acknowledged') AND l.paid_on > d.by AND l.replaces_id IS NULL
        UNION ALL
        {
        of_award(
            "not_paid",
            "a.id || ':' || t.term",
            "jsonb_build_object('term', t.term, 'since', d.since, 'by', d.by)",
            "t.amount::numeric",
        )
    }
          FROM {AWARD_TERM} t JOIN {AWARD} a ON a.id = t.award_id
          JOIN days d ON d.since = GREATEST({_GRANTED}, {term_starts("t.term")})
         WHERE a.state = 'active' AND t.amount > 0 AND d.by < %(on)s
           AND NOT EXISTS (SELECT FROM {LINE} l WHERE l.award_id = a.id AND l.term = t.term AND l.state IN {PAID})
        UNION ALL
        SELECT 'batch_total', 'batch', b.id, b.id::text, b.path, NULL, NULL, b.id, abs(b.total - COALESCE(s.sum, 0)),
               jsonb_build_object('number', b.number, 'total', b.total::text, 'sum', COALESCE(s.sum, 0)::text)
          FROM {BATCH} b
          LEFT JOIN (SELECT batch_id, sum(amount) AS sum FROM {LINE} WHERE state <> 'cancelled' GROUP BY batch_id) s
            ON s.batch_id = b.id
         WHERE b.state NOT IN ('draft', 'cancelled') AND b.total <> COALESCE(s.sum, 0)
    """

    def params(self, on: date) -> dict[str, Any]:
        days = [on - timedelta(days=n) for n in range(YEARS * 366)]
        using = calendar()
        due = [using.after(day, LIMIT).isoformat() for day in days]
        return {"on": on, "days": array(day.isoformat() for day in days), "due": array(due)}


@register
class PaidTwice(base.Audit):
    code = "A5"
    title = _("Paid twice")
    asks = _("There is more than one paid line for a person, programme and term.")
    law = _("Widened scope of spending: Regulations on Penalties for Fiscal Violations, Art. 6; recover the money")
    owner, deadline, severity = base.FINANCE, 3, base.HIGH
    says = {
        "twice": _("%(count)s payments for %(term)s (%(programme)s)."),
        "group_twice": _("Paid for %(term)s by programmes that exclude each other: %(programmes)s."),
    }
    proof = _(
        "Proven to be zero for one programme: the database refuses a second payment of a person, programme and term."
    )
    statement = f"""
        SELECT 'twice' AS code, 'person' AS about, student_id AS about_id,
               student_id || ':' || programme || ':' || term || ':' || purpose AS key, min(path) AS path, student_id,
               max(case_id) AS case_id, max(batch_id) AS batch_id, sum(amount) - min(amount) AS amount,
               jsonb_build_object('count', count(*), 'term', term, 'programme', programme) AS said
          FROM {LINE} WHERE state IN {PAID} GROUP BY student_id, programme, term, purpose HAVING count(*) > 1
        UNION ALL
        SELECT 'group_twice', 'person', l.student_id, l.student_id || ':' || a.group || ':' || l.term, min(l.path),
               l.student_id, max(l.case_id), max(l.batch_id), sum(l.amount) - max(l.amount),
               jsonb_build_object('term', l.term, 'programmes', jsonb_agg(DISTINCT l.programme))
          FROM {LINE} l JOIN {AWARD} a ON a.id = l.award_id
         WHERE l.state IN {PAID} AND l.purpose = 'aid'
         GROUP BY l.student_id, a.group, l.term HAVING count(DISTINCT l.programme) > 1
    """


@register
class OtherThanTheRate(base.Audit):
    code = "A9"
    title = _("Not the rate")
    asks = _("The amount of a payment is not that of the rate which holds for the term, the stage and the tier.")
    law = _("Raised or lowered standards: Regulations on Penalties for Fiscal Violations, Art. 6")
    owner, severity = base.FINANCE, base.HIGH
    says = {
        "amount_differs": _("%(paid)s yuan were paid, the rate is %(rate)s: %(term)s, %(programme)s."),
        "rate_not_in_force": _(
            "Paid by a rate (%(rate)s yuan from %(first)s) that does not hold for this term, stage and tier: %(term)s,"
            " %(programme)s."
        ),
        "no_rate": _("%(paid)s yuan were paid without any rate: %(term)s, %(programme)s."),
    }
    statement = f"""
        WITH paid AS (
            SELECT l.*, r.amount AS rate_amount, r.first_term, r.version_id, r.stage, r.tier, a.basis
              FROM {LINE} l JOIN {AWARD} a ON a.id = l.award_id LEFT JOIN {RATE} r ON r.id = l.rate_id
             WHERE l.state IN {PAID} AND l.purpose = 'aid')
        {of_line("amount_differs", "jsonb_build_object('paid', l.amount::text, 'rate', l.rate_amount::text)")}
          FROM paid l WHERE l.amount <> l.rate_amount
        UNION ALL
        {of_line("no_rate", "jsonb_build_object('paid', l.amount::text)")} FROM paid l WHERE l.rate_id IS NULL
        UNION ALL
        {of_line("rate_not_in_force", "jsonb_build_object('rate', l.rate_amount::text, 'first', l.first_term)")}
          FROM paid l
         WHERE l.rate_id IS NOT NULL AND (
               l.first_term > l.term OR l.tier <> COALESCE(l.basis ->> 'tier', '')
               OR l.stage NOT IN ('', COALESCE(l.basis ->> 'stage', ''))
               OR EXISTS (SELECT FROM {RATE} n
                           WHERE n.version_id = l.version_id AND n.tier = l.tier AND n.stage = l.stage
                             AND n.first_term > l.first_term AND n.first_term <= l.term))
    """


@register
class OtherWayOfPayment(base.Audit):
    code = "A13"
    title = _("Paid in cash, or set off against fees")
    asks = _("Money left in another way than the programme allows, or by transfer without an account.")
    law = _("Rules on the management of student aid funds: paid to the pupil's own account, never in cash")
    owner, severity = base.FINANCE, base.HIGH
    says = {
        "other_kind": _("Paid as %(kind)s; the programme allows %(allowed)s: %(term)s, %(programme)s."),
        "no_account": _("A transfer without an account: %(term)s, %(programme)s."),
        "other_than_batch": _("Paid as %(kind)s in a batch of %(allowed)s: %(term)s, %(programme)s."),
    }
    statement = f"""
        {of_line("other_kind", "jsonb_build_object('kind', l.kind, 'allowed', v.definition ->> 'disbursement')")}
          FROM {LINE} l JOIN {AWARD} a ON a.id = l.award_id JOIN {VERSION} v ON v.id = a.version_id
         WHERE l.state IN {PAID} AND l.kind <> v.definition ->> 'disbursement'
        UNION ALL
        {of_line("no_account")} FROM {LINE} l
         WHERE l.state IN {PAID} AND l.kind = 'bank_transfer' AND l.account_hash IS NULL
        UNION ALL
        {of_line("other_than_batch", "jsonb_build_object('kind', l.kind, 'allowed', b.kind)")}
          FROM {LINE} l JOIN {BATCH} b ON b.id = l.batch_id WHERE l.state IN {PAID} AND l.kind <> b.kind
    """


@register
class TwoCalendars(base.Audit):
    code = "A14"
    title = _("Calendar year and school year do not agree")
    asks = _("What was paid for a school year is not what was paid in it, or a payment has no day at all.")
    law = _("Accounts that do not match reports: Regulations on Penalties for Fiscal Violations, Art. 17")
    owner, severity = base.FINANCE, base.LOW
    says = {
        "differs": _(
            "%(programme)s: %(by_term)s yuan were paid for the school year %(year)s, %(by_day)s yuan in it; the"
            " difference is %(difference)s."
        ),
        "no_day": _("Paid, but no day of payment is kept: %(term)s, %(programme)s."),
    }
    statement = f"""
        WITH paid AS (
            SELECT path, programme, amount, left(term, 9) AS for_year, CASE WHEN paid_on IS NOT NULL THEN
                   (extract(year FROM paid_on)::int - (extract(month FROM paid_on) < 9)::int) END AS in_year
              FROM {LINE} WHERE state IN ('paid', 'acknowledged')),
        by_term AS (SELECT programme, for_year AS year, sum(amount) AS sum, min(left(path, {base.STEP})) AS path
                      FROM paid GROUP BY 1, 2),
        by_day AS (SELECT programme, in_year || '-' || in_year + 1 AS year, sum(amount) AS sum,
                          min(left(path, {base.STEP})) AS path FROM paid WHERE in_year IS NOT NULL GROUP BY 1, 2)
        SELECT 'differs' AS code, 'programme' AS about, 0::bigint AS about_id, programme || ':' || year AS key,
               COALESCE(t.path, d.path) AS path, NULL::bigint AS student_id, NULL::bigint AS case_id,
               NULL::bigint AS batch_id, abs(COALESCE(t.sum, 0) - COALESCE(d.sum, 0)) AS amount,
               jsonb_build_object('programme', programme, 'year', year, 'by_term', COALESCE(t.sum, 0)::text,
                                  'by_day', COALESCE(d.sum, 0)::text,
                                  'difference', (COALESCE(t.sum, 0) - COALESCE(d.sum, 0))::text) AS said
          FROM by_term t FULL JOIN by_day d USING (programme, year) WHERE COALESCE(t.sum, 0) <> COALESCE(d.sum, 0)
        UNION ALL
        {of_line("no_day")} FROM {LINE} l WHERE l.state IN ('paid', 'acknowledged') AND l.paid_on IS NULL
    """
