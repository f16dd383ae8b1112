"""The only writers of awards: granted, proposed of, decided on, stopped, continued and completed (DOMAIN.md §3.2)."""

from approvals.awards.actions.deciding import accept, confirm, decline, second, withdraw
from approvals.awards.actions.events import Change, Recorded, record_event, record_events
from approvals.awards.actions.granting import activate_started, grant
from approvals.awards.actions.holding import hold, release
from approvals.awards.actions.instalments import confirm_proof, record_proof
from approvals.awards.actions.lists import confirm_list, discard_list, upload
from approvals.awards.actions.proposing import Goal, propose
from approvals.awards.actions.rates import correct_rates, settle
from approvals.awards.actions.sweeping import complete_over, continue_lasting, suspend_undecided

__all__ = [
    "Change", "Goal", "Recorded", "accept", "activate_started", "complete_over", "confirm", "confirm_list",
    "confirm_proof", "continue_lasting", "correct_rates", "decline", "discard_list", "grant", "hold", "propose",
    "record_event", "record_events", "record_proof", "release", "second", "settle", "suspend_undecided", "upload",
    "withdraw",
]  # fmt: skip
