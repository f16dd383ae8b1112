"""权限表: who may do what, for administrators and auditors to read and print."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from approvals.organisations.access import requires
from approvals.organisations.roles import matrix
from approvals.review import permission_words as words


@require_GET
@requires("manage_posts", "view_record")
def permissions(request: HttpRequest) -> HttpResponse:
    """The permission matrix, of all roles or one, of all kinds of things or one."""
    role, family = request.GET.get("role", ""), request.GET.get("family", "")
    role = role if role in matrix().may else ""
    family = family if family in dict(words.families()) else ""
    context = {
        "tables": words.tables(role, family),
        "roles": words.roles(),
        "families": words.families(),
        "role": role,
        "family": family,
        "incompatible": [
            [name for code, name in words.roles() if code in together] for together in matrix().incompatible
        ],
    }
    return render(request, "review/permissions.html", context)
