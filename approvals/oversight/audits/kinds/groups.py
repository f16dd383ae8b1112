"""Special groups: whom the aid does not reach, and who is claimed to be in one: A10, A12."""

from datetime import date
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from approvals.oversight import coverage
from approvals.oversight.audits import base
from approvals.oversight.audits.base import APPLICATION, AWARD, AWARD_TERM, CASE, ENTRY, LIST, OFFICE, STUDENT
from approvals.oversight.audits.registry import register
from approvals.people.registers import HOUSEHOLDS
from approvals.programmes.models import Window
from approvals.programmes.terms import Term

CLAIMED = (
    "lifted_household", "monitored_household", "monitored_unstable", "monitored_marginal", "monitored_sudden", "dibao",
    "tekun",
)  # fmt: skip
"""Groups that a register of households bears out or not."""


def closed_term(on: date) -> str:
    """The latest term for which all windows are closed: before that nobody can be missing. Empty for none."""
    windows = Window.objects.values("term").annotate(last=Max("closes_on")).filter(last__lt=on)
    return str(windows.order_by("-term").values_list("term", flat=True).first() or "")


@register
class NeverAided(base.Audit):
    code = "A10"
    title = _("Entitled and not aided, or not without a break")
    asks = _(
        "Pupils on the registers of special groups have neither an award nor an application nor a recorded reason in"
        " the last term whose application periods are over; or were aided in the term before and are not any more."
    )
    law = _("Full coverage of special groups: whoever is entitled is aided (应助尽助)")
    says = {
        "not_aided": _(
            "%(count)s of %(registered)s registered pupils have neither aid nor a recorded reason in %(term)s."
        ),
        "interrupted": _("On a register and aided in %(before)s, but without aid or a reason in %(term)s."),
    }
    statement = f"""
        WITH {coverage.STANDING},
        before AS (SELECT DISTINCT a.student_id FROM {AWARD} a JOIN {AWARD_TERM} t ON t.award_id = a.id
                    WHERE t.term = %(before)s)
        SELECT 'not_aided' AS code, 'school' AS about, o.id AS about_id, o.id || ':' || %(term)s AS key, o.path,
               NULL::bigint AS student_id, NULL::bigint AS case_id, NULL::bigint AS batch_id, NULL::numeric AS amount,
               jsonb_build_object('count', count(*) FILTER (WHERE standing = 'unexplained'), 'registered', count(*),
                                  'term', %(term)s) AS said
          FROM standing JOIN {OFFICE} o ON o.id = standing.school_id
         GROUP BY o.id, o.path HAVING %(over)s AND bool_or(standing = 'unexplained')
        UNION ALL
        SELECT 'interrupted', 'person', s.student_id, s.student_id || ':' || %(term)s, o.path, s.student_id, NULL, NULL,
               NULL, jsonb_build_object('before', %(before)s, 'term', %(term)s)
          FROM standing s JOIN before b ON b.student_id = s.student_id JOIN {OFFICE} o ON o.id = s.school_id
         WHERE %(over)s AND s.standing = 'unexplained'
    """

    def params(self, on: date) -> dict[str, Any]:
        over = closed_term(on)
        term = over or Term.on(on).code
        return coverage.params(term) | {"over": bool(over), "before": Term.of(term).previous().code}


@register
class Overstated(base.Audit):
    code = "A12"
    title = _("More poor pupils claimed than registered")
    asks = _("A school's applications claim more pupils of poor households than the registers bear out.")
    law = _("False claims: Regulations on Penalties for Fiscal Violations, Art. 6")
    says = {
        "overstated": _(
            "%(claimed)s applications of %(term)s claim a poor household, the registers bear out %(borne_out)s of them."
        )
    }
    statement = f"""
        SELECT 'overstated' AS code, 'school' AS about, p.school_id AS about_id, p.school_id || ':' || p.term AS key,
               min(p.path) AS path, NULL::bigint AS student_id, NULL::bigint AS case_id, NULL::bigint AS batch_id,
               NULL::numeric AS amount,
               jsonb_build_object('claimed', count(*), 'term', p.term, 'borne_out',
                                  count(*) FILTER (WHERE borne.id_hash IS NOT NULL)) AS said
          FROM {APPLICATION} p JOIN {CASE} c ON c.id = p.case_id AND c.state <> 'draft'
          JOIN {STUDENT} s ON s.id = p.student_id
          LEFT JOIN (SELECT DISTINCT e.id_hash FROM {ENTRY} e JOIN {LIST} r ON r.id = e.list_id
                      WHERE r.current AND r.kind = ANY(%(households)s::varchar[])) borne ON borne.id_hash = s.id_hash
         WHERE p.live AND p.special_groups && %(claimed)s::varchar[]
           AND EXISTS (SELECT FROM {LIST} WHERE current AND kind = 'poor_households')
         GROUP BY p.school_id, p.term HAVING count(*) > count(*) FILTER (WHERE borne.id_hash IS NOT NULL)
    """

    def params(self, on: date) -> dict[str, Any]:
        return {"households": "{" + ",".join(HOUSEHOLDS) + "}", "claimed": "{" + ",".join(CLAIMED) + "}"}
