"""A list shows whitelisted columns only, in the order of a class register."""

import pytest

from approvals.notices.listing import rank, rows
from approvals.notices.steps import STEPS
from tests.factories import SchoolFactory, StudentFactory, at_step, set_training_date


def test_grades_and_classes_are_in_a_schools_order() -> None:
    grades = ["三年级", "高一", "六年级", "一年级", "初二", "七年级", "初一", "职高一"]
    assert sorted(grades, key=rank)[:3] == ["一年级", "三年级", "六年级"]
    assert sorted(grades, key=rank)[-2:] == ["高一", "职高一"]
    classes = ["10班", "2班", "（1）班", "十一班", "三班"]
    assert sorted(classes, key=rank) == ["（1）班", "2班", "三班", "10班", "十一班"]


def test_the_list_is_ordered_by_school_grade_class_and_name_and_numbered_in_that_order(db: None) -> None:
    set_training_date()
    school = SchoolFactory()
    pupils = [("王二", "二年级", "10班"), ("李一", "一年级", "1班"), ("张三", "二年级", "2班")]
    cases = [
        at_step(
            "school_notice",
            school=school,
            student=StudentFactory(school=school, name=name, grade=grade, class_name=class_name),
        ).case_id
        for name, grade, class_name in pupils
    ]
    shown = [row for _case, row in rows(cases, ["序号", "年级", "姓名"], "义教生活补助", False)]
    assert shown == [
        {"序号": "1", "年级": "一年级", "姓名": "李一"},
        {"序号": "2", "年级": "二年级", "姓名": "张三"},
        {"序号": "3", "年级": "二年级", "姓名": "王二"},
    ]


def test_a_masked_list_never_holds_the_whole_name(db: None) -> None:
    set_training_date()
    application = at_step("school_notice", student=StudentFactory(name="欧阳小禾"))
    [(_case, shown)] = rows([application.case_id], ["姓名", "资助项目"], "义教生活补助", True)
    assert shown == {"姓名": "欧**", "资助项目": "义教生活补助"}


@pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
@pytest.mark.parametrize("column", ["身份证号", "学籍号", "联系电话", "银行账号", "监护人姓名", "特殊群体类型", "金额"])
def test_no_step_may_show_what_is_private(step: object, column: str) -> None:
    assert not step.may_show(["姓名", column])  # type: ignore[attr-defined]
