"""Who is told of what reviewers do: one message a person and act, with the count; never one for each case."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from approvals.organisations.authority import accounts_of, holders
from notifications import send
from workflows.clock import Moment
from workflows.events import Acted, Move, on_act, on_move
from workflows.flows.aid import REVIEWERS
from workflows.models import Case, Follower, WorkItem
from workflows.reasons import REASONS


def _tell(event: str, move: Move) -> None:
    cases = dict(Case.objects.filter(pk__in=move.case_ids).values_list("pk", "path"))
    count = Counter(cases.values())
    reason = str(REASONS[move.reason.code][0]) if move.reason else ""
    for path, officers in holders("submit_application", count).items():
        of_school = [case for case, where in cases.items() if where == path]
        about, about_id = ("case", of_school[0]) if len(of_school) == 1 else ("applications", 0)
        send(
            event,
            officers,
            about=about,
            about_id=about_id,
            cause=f"{min(of_school)}:{_stamp(move.moment)}",
            data={"count": len(of_school), "reason": reason},
        )


def _stamp(moment: Moment) -> str:
    return moment.machine.isoformat()


@on_move("aid", outcome="return")
def tell_of_return(move: Move) -> None:
    """退回补正."""
    _tell("returned", move)


@on_move("aid", outcome="reject")
@on_move("aid", outcome="uphold")
def tell_of_rejection(move: Move) -> None:
    """不予通过."""
    _tell("rejected", move)


# ---------------------------------------------------------------- acts that move nothing


Task = tuple[int, int, str, str]
"""(task, case, office path, queue), as an act names what it was done on."""


def _tell_of_act(event: str, acted: Acted, to: Iterable[int], tasks: list[Task] | None = None) -> None:
    tasks = tasks or acted.tasks
    about, about_id = ("case", tasks[0][1]) if len(tasks) == 1 else ("queue", 0)
    cause = f"{tasks[0][0]}:{_stamp(acted.moment)}"
    data = {"name": acted.by.name, "count": len(tasks)}
    send(event, to, about=about, about_id=about_id, cause=cause, data=data)


def _accounts(acted: Acted) -> list[int]:
    return [user for users in accounts_of(acted.to).values() for user in users]


@on_act("transfer")
def tell_of_transfer(acted: Acted) -> None:
    """转办: whoever has it now."""
    _tell_of_act("handed_on", acted, _accounts(acted))


@on_act("take_over")
def tell_of_taking_over(acted: Acted) -> None:
    """接办: whoever had it."""
    _tell_of_act("taken_over", acted, _accounts(acted))


@on_act("add_signer")
def tell_of_signature_asked(acted: Acted) -> None:
    """加签: those who are asked to sign."""
    _tell_of_act("to_sign", acted, _accounts(acted))


@on_act("copy_to")
def tell_of_copy(acted: Acted) -> None:
    """抄送: those to whom it was copied."""
    _tell_of_act("copied", acted, _accounts(acted))


@on_act("urge")
def tell_of_urging(acted: Acted) -> None:
    """催办: whoever has taken the task on, or else all who may decide it."""
    items = WorkItem.objects.filter(pk__in=[task for task, *_ in acted.tasks]).exclude(holder="")
    held = dict(items.values_list("pk", "holder"))
    accounts = accounts_of(held.values())
    to: dict[int, list[Task]] = defaultdict(list)
    for task in acted.tasks:
        permission = REVIEWERS.get(task[3].partition(".")[2], "")
        people = accounts.get(held[task[0]], []) if task[0] in held else holders(permission, [task[2]])[task[2]]
        for user in people:
            to[user].append(task)
    for user, tasks in to.items():
        _tell_of_act("urged", acted, [user], tasks)


@on_act("ask_papers")
def tell_of_papers_asked(acted: Acted) -> None:
    """补充材料: the aid officers of the school."""
    of_school: dict[str, list[Task]] = defaultdict(list)
    for task in acted.tasks:
        of_school[task[2]].append(task)
    for path, officers in holders("submit_application", of_school).items():
        _tell_of_act("papers_asked", acted, officers, of_school[path])


@on_act("comment")
def tell_of_comment(acted: Acted) -> None:
    """批注: those who follow the case, but for who wrote it."""
    for task in acted.tasks:
        following = Follower.objects.filter(case=task[1], user__isnull=False).exclude(person=acted.by.key)
        _tell_of_act("commented", acted, set(following.values_list("user_id", flat=True)), [task])
