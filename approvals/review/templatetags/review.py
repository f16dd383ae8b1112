"""Words that only the review pages need."""

from typing import Any

from django import template

from approvals.applications.hits import CLOSED
from approvals.applications.matching import sentence, source_name
from approvals.applications.parts import PARTS
from approvals.people.masking import mask_enrolment_no
from approvals.people.special_groups import SPECIAL_GROUPS
from approvals.programmes.evidence import EVIDENCE

register = template.Library()

register.filter("hit_sentence", lambda hit: sentence(hit.code, hit.values))
register.filter("hit_closed", lambda hit: str(CLOSED.get(hit.closed_why, hit.closed_why)))
register.filter("hit_source", lambda hit: source_name(hit.source))
register.filter("mask_enrolment_no", lambda value: mask_enrolment_no(value or ""))


def _named(names: dict[str, Any]) -> Any:
    return lambda code: str(names.get(code, code))


register.filter("evidence_name", _named(EVIDENCE))
register.filter("group_name", _named(SPECIAL_GROUPS))
register.filter("part_name", _named(dict(PARTS)))
