"""Special groups as schools write them (DOMAIN.md §2.1)."""

import pytest

from approvals.people.special_groups import SPECIAL_GROUPS, WORDS, parse_special_groups


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("脱贫家庭", ("lifted_household",)),
        ("建档立卡贫困户", ("lifted_household",)),
        ("脱贫不稳定户", ("monitored_unstable",)),
        ("边缘易致贫户", ("monitored_marginal",)),
        ("突发严重困难户", ("monitored_sudden",)),
        ("低保、孤儿", ("dibao", "orphan")),
        ("低保 残疾学生", ("dibao", "disabled_student")),
        ("农村低保/城市低保", ("dibao",)),
        ("特困供养(集中)", ("tekun",)),
        ("事实无人抚养儿童；残疾人子女", ("de_facto_unattended_child", "child_of_disabled")),
        ("dibao", ("dibao",)),
        ("无", ()),
        ("", ()),
        ("—", ()),
    ],
)
def test_the_usual_words_are_understood(text, codes):
    assert parse_special_groups(text) == (codes, [])


def test_words_that_are_no_group_come_back():
    assert parse_special_groups("低保、外星人") == (("dibao",), ["外星人"])


def test_the_words_of_the_drop_down_are_understood_and_name_every_group():
    assert {parse_special_groups(word)[0] for word in WORDS} == {(code,) for code in SPECIAL_GROUPS}
