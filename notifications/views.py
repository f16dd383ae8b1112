"""The inbox page."""

import re

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from notifications import actions, queries

PAGE = 50


@require_GET
@login_required
def inbox(request: HttpRequest) -> HttpResponse:
    """What the person was told, newest first."""
    before = re.fullmatch(r"[0-9]{1,18}", request.GET.get("before", ""))
    messages = list(queries.inbox(request.user.pk, int(before.group()) if before else None)[: PAGE + 1])
    return render(
        request,
        "notifications/inbox.html",
        {
            "lines": [queries.line(message) for message in messages[:PAGE]],
            "next": messages[PAGE - 1].pk if len(messages) > PAGE else None,
        },
    )


@require_POST
@login_required
def read(request: HttpRequest) -> HttpResponse:
    """Marks everything as read."""
    actions.mark_read(request.user.pk)
    return redirect("notifications:inbox")
