"""A draft can be submitted only while its programme takes applications for its term (DOMAIN.md §3.1)."""

from approvals.applications.models import Application
from approvals.applications.refusals import SENTENCES
from approvals.programmes import queries as programmes
from workflows.actors import Actor
from workflows.clock import today
from workflows.guards import Refusal, guard


@guard("aid", "draft", "submit")
def while_open(case_ids: list[int], by: Actor) -> dict[int, Refusal]:
    """Refuses drafts whose window is closed; a returned application may be resubmitted after it."""
    rows = list(Application.objects.filter(case__in=case_ids).values_list("case_id", "programme", "term"))
    open_now = set(programmes.open_windows(today()).values_list("programme_id", "term"))
    closed = Refusal("window_closed", SENTENCES["window_closed"])
    return {case: closed for case, programme, term in rows if (programme, term) not in open_now}
