"""What is asked of announcements: for an office, and what the public may see."""

from collections.abc import Iterable

from django.db.models import Count, QuerySet

from approvals.notices.announcements.models import Announcement
from approvals.organisations.queries import below


def current() -> QuerySet[Announcement]:
    """What is announced to everybody, the latest first."""
    return (
        Announcement.objects.filter(state="published").select_related("organisation").order_by("-published_at", "-id")
    )


def ever_public() -> QuerySet[Announcement]:
    """What is or was announced."""
    return Announcement.objects.filter(published_at__isnull=False).select_related("organisation")


def of_offices(prefixes: Iterable[str]) -> QuerySet[Announcement]:
    """Announcements of these offices and what lies below, the latest first."""
    return (
        Announcement.objects.filter(below(prefixes))
        .select_related("organisation", "drafted_by", "published_by")
        .order_by("-id")
    )


def counts_by_state(prefixes: Iterable[str]) -> dict[str, int]:
    """How many there are in each state."""
    return dict(Announcement.objects.filter(below(prefixes)).values_list("state").annotate(Count("id")).order_by())
