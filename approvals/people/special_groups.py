"""Special groups of pupils that drive full coverage (DOMAIN.md §2.1): codes, names, and how schools write them."""

import re

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.people.identity import plain_text

SPECIAL_GROUPS: dict[str, Promise] = {
    "lifted_household": _("Household lifted out of poverty"),
    "monitored_household": _("Household monitored against return to poverty"),
    "monitored_unstable": _("Lifted household at risk"),
    "monitored_marginal": _("Household at the margin of poverty"),
    "monitored_sudden": _("Household in sudden severe hardship"),
    "dibao": _("Subsistence allowance"),
    "dibao_marginal": _("Just above the subsistence allowance"),
    "rigid_expenditure": _("Hardship through unavoidable expenses"),
    "tekun": _("Extreme-poverty support"),
    "orphan": _("Orphan"),
    "de_facto_unattended_child": _("De facto unattended child"),
    "disabled_student": _("Pupil with a disability"),
    "child_of_disabled": _("Child of a person with a disability"),
    "martyr_child": _("Child of a martyr"),
    "left_behind_child": _("Left-behind child"),
}

_WRITTEN: dict[str, str] = {
    "lifted_household": "脱贫家庭 脱贫户 脱贫 脱贫人口 脱贫享受政策户 建档立卡 建档立卡户 建档立卡贫困户 "
    "建档立卡家庭 原建档立卡 原建档立卡户 原建档立卡贫困户 建档立卡脱贫户 脱贫学生 脱贫家庭学生 脱贫户家庭",
    "monitored_household": "监测对象 防返贫监测对象 防止返贫监测对象 监测户 三类户 返贫监测户",
    "monitored_unstable": "脱贫不稳定 脱贫不稳定户 脱贫不稳定家庭",
    "monitored_marginal": "边缘易致贫 边缘易致贫户 边缘易致贫家庭 边缘户",
    "monitored_sudden": "突发严重困难 突发严重困难户 突发严重困难家庭 突发困难 突发困难户",
    "dibao": "低保 低保户 低保家庭 城乡低保 农村低保 城市低保 城镇低保 城乡低保家庭 农村低保户 城市低保户 "
    "最低生活保障 最低生活保障家庭 低保学生",
    "dibao_marginal": "低保边缘 低保边缘户 低保边缘家庭 低收入家庭",
    "rigid_expenditure": "刚性支出困难 刚性支出困难家庭 支出型困难 支出型困难家庭",
    "tekun": "特困 特困供养 特困救助供养 城乡特困 农村特困 农村特困供养 城乡特困救助供养 特困人员 特困户 "
    "特困供养人员 特困救助供养学生",
    "orphan": "孤儿 孤儿学生",
    "de_facto_unattended_child": "事实无人抚养儿童 事实无人抚养 事实无人抚养学生 事实孤儿",
    "disabled_student": "残疾学生 残疾 学生残疾 家庭经济困难残疾学生 本人残疾 残疾儿童",
    "child_of_disabled": "残疾人子女 父母残疾 家长残疾 残疾人家庭",
    "martyr_child": "烈士子女 烈士 烈属子女",
    "left_behind_child": "留守儿童 留守 留守学生",
}
_CODES = {word: code for code, words in _WRITTEN.items() for word in words.split()}
_CODES |= {code: code for code in SPECIAL_GROUPS}
_NONE = frozenset(
    ("", "无", "否", "没有", "-", "--", "—", "其他", "其它", "非", "不是", "正常", "一般", "一般家庭", "none")
)
_SEPARATORS = re.compile(r"[、,，;；/\\|+＋和及\n]+")
_BRACKETS = re.compile(r"[(（].*?[)）]")

WORDS: tuple[str, ...] = tuple(words.split()[0] for words in _WRITTEN.values())
"""The usual word for each group, for drop-downs and templates."""


def parse_special_groups(text: str) -> tuple[tuple[str, ...], list[str]]:
    """Codes of the groups named in a cell, and the words in it that name none: 低保、孤儿 -> (dibao, orphan), []."""
    codes: list[str] = []
    unknown: list[str] = []
    for part in _SEPARATORS.split(_BRACKETS.sub("", text)):
        whole = plain_text(part)
        joined = whole.replace(" ", "")
        words = [joined] if joined in _CODES or joined in _NONE else whole.split()
        codes += [_CODES[word] for word in words if word in _CODES]
        unknown += [word for word in words if word not in _CODES and word not in _NONE]
    return tuple(dict.fromkeys(codes)), unknown
