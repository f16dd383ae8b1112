"""Whether the file is complete: A3, A6, A7, A11."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from approvals.applications.models import PaperRequest
from approvals.oversight.audits import base
from approvals.oversight.audits.base import (
    APPLICATION,
    AWARD,
    BATCH,
    CASE,
    DOSSIER,
    LINE,
    NOTICE,
    NOTICE_LINE,
    STUDENT,
    of_award,
)
from approvals.oversight.audits.registry import register
from workflows.copying import array
from workflows.flows.aid import NOTICES

REQUESTS = PaperRequest._meta.db_table


@register
class SignedForOthers(base.Audit):
    code = "A3"
    title = _("Signed or received for others")
    asks = _("The receipt is missing, or somebody else than the guardian signed it.")
    law = _("Rules on the management of student aid funds: the pupil or the guardian signs for the receipt")
    gaps = (_("Not judged here yet: what is unsigned is listed under the receipts of the schools."),)


@register
class IncompleteFile(base.Audit):
    code = "A6"
    title = _("No file, or an incomplete one")
    asks = _("An award was granted although something of its file is missing.")
    law = _("Rules on the archives of student aid: one file a pupil, complete before approval")
    says = {"incomplete": _("The file is not complete: %(missing)s (%(programme)s, %(year)s).")}
    statement = f"""
        SELECT 'incomplete' AS code, 'award' AS about, a.id AS about_id, a.id::text AS key, a.path, a.student_id,
               a.case_id, NULL::bigint AS batch_id, NULL::numeric AS amount,
               jsonb_build_object('programme', a.programme, 'year', a.school_year,
                                  'missing', to_jsonb(m.missing)) AS said
          FROM {AWARD} a JOIN {APPLICATION} p ON p.case_id = a.case_id JOIN {STUDENT} s ON s.id = a.student_id,
               LATERAL (SELECT (a.granted_at AT TIME ZONE 'Asia/Shanghai')::date < s.birth_date + interval '14 years'
                               AS young) y,
               LATERAL (SELECT array_remove(ARRAY[
                   CASE WHEN p.commitment_on IS NULL THEN 'commitment' END,
                   CASE WHEN y.young AND p.consent_on IS NULL THEN 'consent' END,
                   CASE WHEN y.young AND p.guardian_name = '' THEN 'guardian' END,
                   CASE WHEN a.kind = 'bank_transfer' AND p.account_hash IS NULL THEN 'account' END,
                   CASE WHEN EXISTS (SELECT FROM {REQUESTS} q
                                      WHERE q.application_id = p.case_id AND q.answered_at IS NULL) THEN 'papers' END
               ], NULL) AS missing) m
         WHERE m.missing <> '{{}}'
    """


@register
class NoticeMissing(base.Audit):
    code = "A7"
    title = _("Paid without a concluded notice, or without proof of posting")
    asks = _("An award stands in a batch although a public notice has not concluded, or nobody proved its posting.")
    law = _("Rules on public notice of student aid: nothing is paid before the notices have concluded")
    severity = base.HIGH
    says = {
        "not_concluded": _("In a batch for %(term)s (%(programme)s), but these notices have not concluded: %(steps)s."),
        "no_posting": _("Money was paid by this notice (%(title)s), but there is no proof of its posting."),
    }
    statement = f"""
        {
        of_award(
            "not_concluded",
            "a.id || ':' || l.term",
            "jsonb_build_object('term', l.term, 'steps', to_jsonb(n.steps))",
            "l.amount::numeric",
        )
    }
          FROM {LINE} l JOIN {BATCH} b ON b.id = l.batch_id JOIN {AWARD} a ON a.id = l.award_id
          JOIN {CASE} c ON c.id = a.case_id,
               LATERAL (SELECT array_agg(step) AS steps FROM unnest(c.steps) step
                         WHERE step = ANY(%(notices)s::varchar[]) AND step <> ALL(c.noticed)) n
         WHERE l.state <> 'cancelled' AND b.state <> 'cancelled' AND n.steps IS NOT NULL
        UNION ALL
        SELECT 'no_posting', 'notice', n.id, n.id::text, n.path, NULL, NULL, NULL, NULL,
               jsonb_build_object('title', n.title)
          FROM {NOTICE} n
         WHERE n.state IN ('concluded', 'taken_down', 'archived')
           AND NOT EXISTS (SELECT FROM {DOSSIER} d WHERE d.notice_id = n.id AND d.proof <> '')
           AND EXISTS (SELECT FROM {NOTICE_LINE} k JOIN {LINE} l ON l.case_id = k.case_id AND l.state IN {base.PAID}
                        WHERE k.notice_id = n.id)
    """

    def params(self, on: date) -> dict[str, Any]:
        return {"notices": array(NOTICES)}


@register
class FeesFirst(base.Audit):
    code = "A11"
    title = _("Fees taken first and given back later")
    asks = _("A fee was taken from a pupil whose fees are waived.")
    law = _("Rules on fees: who is exempt pays nothing first")
    gaps = (_("Not judged: receipts of fees are not kept yet."),)
