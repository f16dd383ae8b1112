"""CEL expressions over the facts of an application: compiled once, asked ten thousand times.

A fact that is not known is left out of the question. CEL then answers where the rest decides (`false && x` is
false whatever x is) and refuses otherwise, which means: unknown. So an open question never counts as a yes.
"""

import string
from collections.abc import Iterable
from functools import cache
from typing import Any

import cel

FACTS: dict[str, Any] = {
    "stage": "primary",
    "grade": "三年级",
    "boarder": True,
    "special_groups": ["dibao"],
    "level": "moderate",
    "register_category": "lifted_household",
    "registered_in_county": True,
    "school_code": "2113049901",
    "school_form": "central_school",
    "amount_fen": 62500,
    "age": 9,
    "verified": True,
}
"""Every fact a rule may ask for, with an example.

`special_groups` is what the family states; `register_category` what the register of poor households says, empty
where it does not list the pupil; `amount_fen` is the amount per term in fen; `age` full years on the day.
"""
FUNCTIONS = frozenset({"size", "contains", "startsWith", "endsWith"})


class RuleError(ValueError):
    """An expression or a sentence that cannot be used; says why."""


@cache
def compiled(expression: str) -> Any:
    """The program of an expression. Raises RuleError."""
    try:
        return cel.compile(expression)
    except ValueError as error:
        raise RuleError(f"not an expression: {error}") from error


@cache
def asked_for(expression: str) -> tuple[str, ...]:
    """The facts that an expression reads; single letters are the expression's own (`special_groups.exists(g, …)`)."""
    return tuple(name for name in compiled(expression).variables() if len(name) > 1)


def check(expression: str, sentences: Iterable[str]) -> None:
    """Refuses, when a definition is loaded, what could only fail later: unknown facts, or no yes-or-no answer."""
    program = compiled(expression)
    if unknown := set(asked_for(expression)) - set(FACTS):
        raise RuleError(f"unknown facts: {', '.join(sorted(unknown))}")
    if unknown := {name for name in program.functions() if name[0].isalpha()} - FUNCTIONS:
        raise RuleError(f"unknown functions: {', '.join(sorted(unknown))}")
    try:
        answer = program.execute(FACTS)
    except (RuntimeError, TypeError, ValueError) as error:
        raise RuleError(f"cannot be answered: {error}") from error
    if not isinstance(answer, bool):
        raise RuleError("does not answer yes or no")
    for sentence in sentences:
        if unknown := {name for _, name, _, _ in string.Formatter().parse(sentence) if name} - set(FACTS):
            raise RuleError(f"a sentence names unknown facts: {', '.join(sorted(unknown))}")


def known(facts: dict[str, Any]) -> Any:
    """The facts as CEL takes them, the unknown ones (None) left out."""
    return cel.Context({name: value for name, value in facts.items() if value is not None})


def answer(expression: str, facts: Any) -> bool | None:
    """Whether a rule holds for `known` facts; None when they do not tell."""
    try:
        found = compiled(expression).execute(facts)
    except (RuntimeError, TypeError, ValueError):
        return None
    return found if isinstance(found, bool) else None
