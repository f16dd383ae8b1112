"""The stages of schooling that schools teach and rates are set for, and what they are called."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p

STAGES: dict[str, Promise] = {
    "primary": _p("stage", "Primary"),
    "junior": _p("stage", "Junior secondary"),
    "senior": _p("stage", "Senior secondary"),
    "voc": _p("stage", "Vocational secondary"),
    "special": _p("stage", "Special education"),
}
"""Special education is a stage of its own: its rates are, and its schools teach no other."""
