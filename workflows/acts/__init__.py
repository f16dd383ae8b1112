"""What people do with open tasks besides deciding them: nothing here moves a case; that is `decide` alone.

Each act is a class with its permission, its checks and what it writes, and works on one task or ten thousand with a
`Result` for each:

    from workflows.acts import Claim, Transfer, perform
    perform(Claim(), [task], by=reviewer)
    perform(Transfer(to=colleague), tasks, by=reviewer, reason=Reason("away"))
"""

from workflows.acts.frame import Act, perform
from workflows.acts.holding import (
    Claim,
    Release,
    TakeOver,
    Transfer,
    claim_next,
    holders_of_tasks,
    open_item,
    return_to_office,
)
from workflows.acts.pausing import Resume, Suspend, end_freeze, set_freeze
from workflows.acts.recusing import StepAside, free_missed, lift_from_offices, recuse, recuse_from_offices
from workflows.acts.signing import AddSigners, RemoveSigner, Unsign
from workflows.acts.telling import Comment, CopyTo, Unwatch, Urge, Watch, looking, mark_read

__all__ = [
    "Act",
    "AddSigners",
    "Claim",
    "Comment",
    "CopyTo",
    "Release",
    "RemoveSigner",
    "Resume",
    "StepAside",
    "Suspend",
    "TakeOver",
    "Transfer",
    "Unsign",
    "Unwatch",
    "Urge",
    "Watch",
    "claim_next",
    "end_freeze",
    "free_missed",
    "holders_of_tasks",
    "lift_from_offices",
    "looking",
    "mark_read",
    "open_item",
    "perform",
    "recuse",
    "recuse_from_offices",
    "return_to_office",
    "set_freeze",
]
