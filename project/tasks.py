"""The beat of the background: every two seconds, whatever is due is done."""

from celery import shared_task

from project import demo
from workflows import background


@shared_task
def sweep(queue: str) -> None:
    """Does what is due on `queue`. Thin and repeatable: what is owed stands in the database, not in the message."""
    background.run_due(queue, allowed=demo.while_it_stands)
