"""Fifty rows of a table as Django's tutorial would show them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from approvals.notices.models import NoticeLine


def page(request: HttpRequest) -> HttpResponse:
    lines = NoticeLine.objects.select_related("notice", "case").defer("notice__frozen").order_by("pk")[:50]
    return render(request, "rows.html", {"lines": lines})


urlpatterns = [path("", page, name="page")]
