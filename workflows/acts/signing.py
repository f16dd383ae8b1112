"""Adding signers to a step (加签), taking them off (减签), taking one's own signature back."""

from collections.abc import Sequence

from workflows.actors import Actor
from workflows.acts.frame import Act, Concerns
from workflows.clock import Moment
from workflows.locking import Refused, Standing
from workflows.models import Signer, WorkItem
from workflows.nodes import Review
from workflows.panels import SEES, leave, void


class AddSigners(Act):
    """加签: asks others to sign too; the step approves nothing until each of them has."""

    name = "add_signer"

    def __init__(self, who: Sequence[Actor]) -> None:
        self.concerns = Concerns(who, SEES)
        self.seated: dict[int, set[str]] = {}

    @property
    def to(self) -> tuple[Actor, ...]:
        return self.concerns.people

    def begin(self, tasks: list[Standing]) -> None:
        self.concerns.read(tasks)
        self.seated = {}
        seated = Signer.objects.filter(item__in=[task.item for task in tasks], ended_at=None)
        for item, person in seated.values_list("item_id", "person"):
            self.seated.setdefault(item, set()).add(person)

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        if task.seat.holder not in ("", by.key):
            return "held", {"name": task.seat.holder_name}
        for person in self.to:
            if person.key == by.key or person.key in self.seated.get(task.item, ()):
                return "already_signer", {"name": person.name}
        return self.concerns.refusal(task)

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        Signer.objects.bulk_create(
            [
                Signer(
                    item_id=task.item, person=person.key, name=person.name[:150], part="added", added_by=by.key,
                    added_at=moment.machine,
                )
                for task in tasks
                for person in self.to
            ]
        )  # fmt: skip
        WorkItem.objects.filter(pk__in=[task.item for task in tasks], panel="").update(panel="added")


class RemoveSigner(Act):
    """减签: takes a signature off that is not given, or that one who was added gave against the others.

    What a member of the panel has signed stands: nobody makes a majority by taking off those who disagree.
    """

    name = "remove_signer"
    reason_required = True

    def __init__(self, who: Actor) -> None:
        self.who = who
        self.seated: dict[int, Signer] = {}

    @property
    def to(self) -> tuple[Actor, ...]:
        return (self.who,)

    def begin(self, tasks: list[Standing]) -> None:
        found = Signer.objects.filter(
            item__in=[task.item for task in tasks], person=self.who.key, ended_at=None, part__in=["added", "panel"]
        )
        self.seated = {signer.item_id: signer for signer in found}

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        if task.seat.holder not in ("", by.key):
            return "held", {"name": task.seat.holder_name}
        signer = self.seated.get(task.item)
        if signer is None:
            return "no_such_signer"
        onward = task.step.onward if isinstance(task.step, Review) else ""
        stands = signer.vote == onward if signer.part == "added" else signer.vote
        return "already_signed" if stands else None

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        leave([self.seated[task.item] for task in tasks], moment)


class Unsign(Act):
    """拿回签署: takes back one's own signature while the step waits for others. The level stays spent."""

    name = "unsign"
    judges = False

    def __init__(self) -> None:
        self.mine: dict[int, Signer] = {}
        self.by = ""

    def permission(self, task: Standing) -> str:
        return SEES

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        signer = Signer.objects.filter(item=task.item, person=by.key, ended_at=None).exclude(vote="").first()
        if signer is None:
            return "not_your_decision"
        self.mine[task.item] = signer
        return None

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        for task in tasks:
            void(self.mine[task.item], moment)
