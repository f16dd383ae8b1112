"""账户校验: nothing is paid to an account that fails its checks, or signed by who entered it (DOMAIN.md §2.8, §3.5)."""

from approvals.disbursement import queries
from approvals.disbursement.models import Batch
from approvals.disbursement.refusals import ACCOUNT_PROBLEMS, Refused, listed
from approvals.organisations.authority import UserActor


def refuse_bad_accounts(batch: Batch) -> None:
    """Asked at every step until money leaves. Raises Refused with each reason, and the lines of which it holds."""
    problems = queries.account_problems(batch.lines.filter(state="included"))
    if problems:
        lines = {number for numbers in problems.values() for number in numbers}
        said = [str(ACCOUNT_PROBLEMS[code] % {"lines": listed(numbers)}) for code, numbers in problems.items()]
        raise Refused("accounts_wrong", count=len(lines), problems="；".join(said))


def refuse_editor(batch: Batch, by: UserActor) -> None:
    """Whoever proposed or confirmed an account to which this batch pays neither checks nor approves it; the database
    refuses it too. Raises Refused.
    """
    if lines := queries.edited_by(batch, by.user):
        raise Refused("account_editor", lines=listed(lines))
