"""Moving the demo's date. Business dates follow it; sessions, locks and timers keep the machine's time."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction

from approvals.notices.models import Notice
from workflows import background, clock, record
from workflows.actors import SYSTEM, Actor
from workflows.models import Record, TrainingClock
from workflows.working_days import calendar


@dataclass(frozen=True)
class Forward:
    """What moving the date came to: the new date, notices whose period ended, applications that went on."""

    today: date
    moved: bool
    notices: int = 0
    cases: int = 0


def forward(by: Actor = SYSTEM, seen: date | None = None) -> Forward:
    """Moves the training date to the next working day and does what has become due on it.

    `seen` is the date the visitor was looking at: where it is no longer the date, nothing is moved (two
    clicks, two visitors). Raises PermissionDenied where there is no training clock.
    """
    with clock.released():
        with transaction.atomic():
            training = TrainingClock.objects.select_for_update().first()
            if not settings.DEMO or training is None:
                raise PermissionDenied("no training clock")
            if seen is not None and seen != training.date:
                return Forward(training.date, moved=False)
            before = training.date
            training.date = calendar().after(before, 1)
            training.save(update_fields=["date"])
            record.write(
                "clock_forward", "clock", [training.pk], by,
                data={"from": before.isoformat(), "to": training.date.isoformat()},
            )  # fmt: skip
        due = list(Notice.objects.filter(state="published", ends_on__lt=training.date).values_list("pk", flat=True))
        since = Record.objects.order_by("-id").values_list("id", flat=True).first() or 0
        background.run_due("default")
        return Forward(
            training.date,
            moved=True,
            notices=Notice.objects.filter(pk__in=due).exclude(state="published").count(),
            cases=Record.objects.filter(id__gt=since, about="case").values("about_id").distinct().count(),
        )
