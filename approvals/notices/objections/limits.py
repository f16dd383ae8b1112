"""How much may be sent to the public forms from one place, and about one notice.

A place is a keyed hash of the day and the address (of an IPv6 one, of its network), kept one day. Many parents share
the address of a school or of a mobile network: the limits stop scripts and not parents.
"""

from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from approvals.notices.objections.models import Attempt, UsedQuestion
from approvals.notices.refusals import Refused
from approvals.organisations.signing_in import address_of
from approvals.people.crypto import blind_index
from workflows.clock import CHINA

SENT, TO_NOTICE, LOOKED_UP, WRONG = "sent", "notice", "receipt", "wrong"
"""What is counted: objections received, and to one notice; receipt numbers entered; forms not filled in rightly."""
AN_HOUR = {SENT: 20, TO_NOTICE: 60, LOOKED_UP: 60, WRONG: 200}
KEPT = timedelta(days=1)
_HOUR = timedelta(hours=1)
AT_ONCE = 5000


def origin(request: HttpRequest) -> bytes:
    """Where a request comes from, as a hash that is another one tomorrow; trusted proxies are looked behind."""
    address = address_of(request) or ""
    if address:
        read = ip_address(address)
        if isinstance(read, IPv6Address):
            address = str(read.ipv4_mapped or int(read) >> 64)
    return blind_index(f"address {timezone.now().astimezone(CHINA).date()} {address}")


def check(kind: str, place: bytes) -> None:
    """Raises Refused where there has been too much of it in the last hour."""
    since = timezone.now() - _HOUR
    if Attempt.objects.filter(origin=place, kind=kind, at__gte=since).count() >= AN_HOUR[kind]:
        raise Refused("too_many")


def count(kind: str, place: bytes) -> None:
    """Counts one, in the caller's transaction: others from the same place wait until it is over. Raises Refused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(place[:8], signed=True)])
    check(kind, place)
    remember(kind, place)


def remember(kind: str, place: bytes) -> None:
    """Counts one, whatever came before."""
    Attempt.objects.create(kind=kind, origin=place, at=timezone.now())


def place_of(notice_id: int) -> bytes:
    """What the objections to one notice are counted under, wherever they come from."""
    return blind_index(f"notice {notice_id}")


def forget() -> int:
    """Deletes what is older than a day; returns how many rows, at most so many at once."""
    before = timezone.now() - KEPT
    gone = 0
    for model in (Attempt, UsedQuestion):
        old = model.objects.filter(at__lt=before).order_by("at").values("pk")[:AT_ONCE]
        gone += model.objects.filter(pk__in=old).delete()[0]
    return gone
