"""The accounts of all applications: one for too many pupils, or in the name of neither pupil nor guardian."""

from django.utils.translation import gettext_lazy as _

from approvals.applications.matching import SHARING
from approvals.applications.models import Application
from approvals.applications.sources.base import Kind, Says
from approvals.applications.sources.registry import register
from approvals.people.models import Student


@register
class Accounts(Kind):
    code = "accounts"
    title = _("Accounts of all applications")
    says = {
        "account_shared": Says(
            _("Account shared by several pupils"),
            _("The same account is named for %(count)s pupils who do not share a household."),
        ),
        "card_name_mismatch": Says(
            _("Account holder neither pupil nor guardian"),
            _("The account holder is neither the pupil nor the guardian named."),
        ),
    }
    # As `matching.shared_accounts` counts: every live application, unless all its pupils are of one household.
    statement = f"""
        SELECT scope.case_id, 'account_shared' AS code, jsonb_build_object('count', shared.pupils) AS said
          FROM scope JOIN (
              SELECT a.account_hash, count(DISTINCT a.student_id) AS pupils
                FROM {Application._meta.db_table} a JOIN {Student._meta.db_table} s ON s.id = a.student_id
               WHERE a.live AND a.account_hash IN (SELECT account_hash FROM scope)
               GROUP BY a.account_hash
              HAVING count(DISTINCT a.student_id) > {SHARING}
                 AND NOT (count(DISTINCT s.household_id) = 1 AND count(s.household_id) = count(*))) shared
            ON shared.account_hash = scope.account_hash
        UNION ALL
        SELECT case_id, 'card_name_mismatch', '{{}}' FROM scope
         WHERE account_hash IS NOT NULL AND holder_name <> '' AND holder_name NOT IN (pupil, guardian_name)
    """
