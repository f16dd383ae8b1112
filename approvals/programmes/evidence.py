"""Kinds of papers that go with an application (DOMAIN.md §4.4). Stamped proof of poverty is never among them."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p

EVIDENCE: dict[str, Promise] = {
    "household_register": _p("evidence", "Household register or ID card"),
    "bank_card": _p("evidence", "Front of the social-security or bank card"),
    "register_extract": _p("evidence", "Extract of the register of poor households"),
    "dibao_certificate": _p("evidence", "Subsistence-allowance or extreme-poverty certificate"),
    "disability_certificate": _p("evidence", "Disability certificate"),
    "orphan_certificate": _p("evidence", "Certificate of an orphan or unattended child"),
    "martyr_certificate": _p("evidence", "Martyr's certificate"),
    "medical_papers": _p("evidence", "Diagnosis and medical bills"),
    "disaster_papers": _p("evidence", "Papers about a disaster or accident"),
    "commitment": _p("evidence", "Signed commitment"),
    "guardian_consent": _p("evidence", "Guardian's consent (under 14)"),
    "other": _p("evidence", "Other"),
}
