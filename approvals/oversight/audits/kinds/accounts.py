"""Whose account the money went to: A4."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from approvals.applications.matching import SHARING
from approvals.oversight.audits import base
from approvals.oversight.audits.base import APPLICATION, GUARDIAN, LINE, PAID, STUDENT, of_line, on_list
from approvals.oversight.audits.registry import register
from approvals.people.registers import ACCOUNT_HOLDER

_MASKED = "left({name}, 1) || '**'"


@register
class OthersAccount(base.Audit):
    code = "A4"
    title = _("Paid to somebody else's account")
    asks = _(
        "The holder of the account is neither the pupil nor a registered guardian, or several pupils who keep no"
        " household together share one account."
    )
    law = _("Misappropriation and false claims: Regulations on Penalties for Fiscal Violations, Art. 6")
    deadline, severity = 5, base.HIGH
    says = {
        "other_payee": _("Paid to %(payee)s, neither pupil nor registered guardian: %(term)s, %(programme)s."),
        "other_holder": _("By the bank's list the account is held by %(holders)s: %(term)s, %(programme)s."),
        "shared": _("One account (…%(tail)s) received the money of %(count)s pupils of different households."),
    }
    gaps = (_("Accounts of the staff are not judged: no data of this kind is kept yet."),)
    statement = f"""
        {of_line("other_payee", f"jsonb_build_object('payee', {_MASKED.format(name='l.payee')})")}
          FROM {LINE} l JOIN {STUDENT} s ON s.id = l.student_id
          LEFT JOIN {APPLICATION} p ON p.case_id = l.case_id
         WHERE l.state IN {PAID} AND l.kind = 'bank_transfer' AND l.payee NOT IN (s.name, COALESCE(p.guardian_name, ''))
           AND NOT EXISTS (SELECT FROM {GUARDIAN} g WHERE g.student_id = s.id AND g.name = l.payee)
        UNION ALL
        {of_line("other_holder", "jsonb_build_object('holders', held.holders)")}
          FROM {LINE} l JOIN (
               SELECT l.id, jsonb_agg(DISTINCT {_MASKED.format(name="e.name")}) AS holders
                 FROM {LINE} l JOIN {STUDENT} s ON s.id = l.student_id
                 LEFT JOIN {APPLICATION} p ON p.case_id = l.case_id
                 {on_list(ACCOUNT_HOLDER, "l.account_hash")}
                WHERE l.state IN {PAID} AND l.kind = 'bank_transfer'
                GROUP BY l.id
               HAVING NOT bool_or(e.name IN (s.name, COALESCE(p.guardian_name, '')) OR EXISTS (
                      SELECT FROM {GUARDIAN} g WHERE g.student_id = s.id AND g.name = e.name))) held ON held.id = l.id
        UNION ALL
        SELECT 'shared', 'account', min(l.id), left(encode(l.account_hash, 'hex'), 40),
               CASE WHEN min(l.path) = max(l.path) THEN min(l.path) ELSE left(min(l.path), {base.STEP}) END,
               NULL, min(l.case_id), NULL, sum(l.amount),
               jsonb_build_object('tail', min(l.account_tail), 'count', count(DISTINCT l.student_id))
          FROM {LINE} l JOIN {STUDENT} s ON s.id = l.student_id
         WHERE l.state IN {PAID} AND l.account_hash IS NOT NULL AND l.kind = 'bank_transfer'
         GROUP BY l.account_hash
        HAVING count(DISTINCT l.student_id) > %(sharing)s
           AND NOT (count(DISTINCT s.household_id) = 1 AND bool_and(s.household_id IS NOT NULL))
    """

    def params(self, on: date) -> dict[str, Any]:
        return {"sharing": SHARING}
