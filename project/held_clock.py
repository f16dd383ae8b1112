"""One business time for a whole request, read once."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from workflows import clock

WITHOUT = frozenset({"/healthz"})
"""Pages that must answer when the database does not."""


class HeldClockMiddleware:
    """Holds the clock, and leaves the demo's date (None elsewhere) as `request.training_date`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.training_date = None  # type: ignore[attr-defined]
        if request.path in WITHOUT:
            return self.get_response(request)
        training = clock.training_date()
        request.training_date = training  # type: ignore[attr-defined]
        with clock.held(clock.moment_on(training)):
            return self.get_response(request)
