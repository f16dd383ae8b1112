"""脱贫户、监测对象: what a family claims, or a programme requires, is borne out by the register of poor households."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from approvals.applications.findings import Facts
from approvals.applications.rosters.checking import shown
from approvals.applications.sources.base import Found, Kind, Says, Scope
from approvals.applications.sources.lists import Column, RowReader
from approvals.applications.sources.registry import register
from approvals.people import registers
from approvals.people.special_groups import parse_special_groups
from approvals.programmes import rules
from approvals.programmes.definition import Definition

LOW_INCOMES = ("dibao", "tekun")
BORNE_OUT = frozenset(
    {
        "lifted_household", "monitored_household", "monitored_unstable", "monitored_marginal", "monitored_sudden",
        *LOW_INCOMES,
    }
)  # fmt: skip
"""Groups that the register of poor households can bear out."""
_ELSEWHERE = ("否", "不是", "外县", "非本县", "n", "no", "0")


@register
class PoorHouseholds(Kind):
    code = registers.POOR_HOUSEHOLDS
    title = _("Register of poor households")
    offices = _("agriculture and rural affairs office (rural revitalisation)")
    columns = (
        Column("姓名", "家庭成员姓名 成员姓名", example="示例甲"),
        Column("身份证号", "家庭成员身份证号 成员身份证号 成员证件号码", required=True, example="130499201203050010"),
        Column("类别", "户属性 户类型 农户属性 脱贫户属性 监测对象类别 监测对象类型 人员类别 困难类型 特殊群体类型",
               example="脱贫家庭"),
        Column("是否本县", "本县 是否本县户 户籍地", example="是"),
    )  # fmt: skip
    max_age = 180
    claims = True
    says = {
        "not_registered": Says(
            _("Not on the register of poor households"),
            _("Stated or required as a registered household, but the register does not bear it out."),
        ),
        "other_county": Says(
            _("Registered in another county"), _("The register lists the household in another county.")
        ),
        "register_missing": Says(_("No register loaded"), _("No register is loaded to compare with.")),
    }

    def asked(self, lists: Mapping[str, int]) -> bool:
        """Always: without a register a claim is not waved through."""
        return True

    def row(self, read: RowReader) -> registers.Row:
        in_county = read.text("是否本县").replace(" ", "").lower() not in _ELSEWHERE
        return registers.Row(read.person(), self._category(read), in_county=in_county)

    @staticmethod
    def _category(read: RowReader) -> str:
        text = read.text("类别")
        codes, _unknown = parse_special_groups(text)
        found = next((code for code in codes if code in BORNE_OUT), None)
        if text and found is None:
            read.refuse("类别", "category_unknown", text=shown(text), known="脱贫家庭、监测对象、低保、特困")
        return found or "lifted_household"

    def found(self, scope: Scope) -> Iterator[tuple[int, Found]]:
        # What a list of civil affairs bears out is judged by it, where there is one, and not here again.
        elsewhere = LOW_INCOMES if registers.LOW_INCOME in scope.lists else ()
        answers: dict[tuple[int, Facts, bool], list[tuple[str, dict[str, Any]]]] = {}
        for one in scope.matched:
            if not one.judged:
                continue
            facts = scope.facts(one)
            facts = facts._replace(special_groups=tuple(each for each in facts.special_groups if each not in elsewhere))
            entry = scope.finder.entry(one.pupil)
            registered = entry is not None and entry.registered
            key = (one.version, facts, registered)
            if key not in answers:
                answers[key] = list(_answer(scope.versions[one.version].rules, facts, registered))
            for code, values in answers[key]:
                yield one.case_id, Found(self.code, code, values)


def _answer(definition: Definition, facts: Facts, registered: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is against an application of these facts: its claims are not borne out, or the programme's rule fails.

    `registered`: the pupil is on this very register; the list of civil affairs bears out none of its claims.
    """
    claims = [group for group in facts.special_groups if group in BORNE_OUT]
    required = [
        rule
        for rule in definition.rules
        if {"register_category", "registered_in_county"} & set(rules.asked_for(rule.when))
    ]
    if facts.register_category is None:
        if claims or required:
            yield "register_missing", {}
        return
    known = rules.known(facts.as_rules_take_them())
    failed = [rule for rule in required if rules.answer(rule.when, known) is False]
    if failed and facts.registered_in_county is False:
        yield "other_county", {"category": facts.register_category}
    elif (claims and not registered) or failed:
        yield "not_registered", {"groups": claims, "category": facts.register_category}
