"""低保、特困: the list of civil affairs bears out what a family claims, or knows of one that claims nothing."""

from django.utils.translation import gettext_lazy as _

from approvals.applications.sources.base import INFO, Kind, Says
from approvals.applications.sources.lists import Column, RowReader
from approvals.applications.sources.registry import register
from approvals.people import registers

CATEGORIES = {
    **dict.fromkeys(
        ("低保", "低保户", "低保家庭", "城乡低保", "农村低保", "城市低保", "最低生活保障", "低保对象"), "dibao"
    ),
    **dict.fromkeys(
        ("特困", "特困人员", "特困供养", "特困救助供养", "农村特困", "城市特困", "分散供养", "集中供养", "五保"),
        "tekun",
    ),
    **dict.fromkeys(("低保边缘", "低保边缘家庭", "低保边缘户", "低收入", "低收入家庭"), "dibao_marginal"),
}


@register
class LowIncome(Kind):
    code = registers.LOW_INCOME
    title = _("Subsistence allowance and extreme-poverty support")
    offices = _("civil affairs office")
    columns = (
        Column("姓名", "家庭成员姓名 成员姓名 保障对象姓名 对象姓名", example="示例甲"),
        Column("身份证号", "家庭成员身份证号 成员身份证号 保障对象身份证号 对象身份证号 成员证件号码", required=True,
               example="130499201203050010"),
        Column("救助类别", "类别 救助类型 保障类别 保障类型 对象类别 低保类别 人员类别 救助项目", example="农村低保"),
        Column("户编号", "家庭编号 低保证号 证号 户号", example="D000001"),
    )  # fmt: skip
    max_age = 45
    claims = True
    says = {
        "not_low_income": Says(
            _("Not on the list of civil affairs"),
            _("Stated as %(groups)s, but neither pupil nor guardian is on the list of civil affairs."),
        ),
        "low_income_unstated": Says(
            _("On the list of civil affairs, not stated"),
            _("On the list of civil affairs as %(category)s, which the application does not state."),
            INFO,
        ),
    }
    # A claim is borne out by the pupil's or a guardian's line, or as such by the register of poor households.
    statement = """
        SELECT scope.case_id, 'not_low_income' AS code, jsonb_build_object('groups', to_jsonb(ARRAY(
                   SELECT g FROM unnest(scope.special_groups) g WHERE g IN ('dibao', 'tekun') ORDER BY g))) AS said
          FROM scope
         WHERE scope.judged AND scope.special_groups && '{dibao,tekun}'::varchar[]
           AND NOT EXISTS (
               SELECT FROM listed e
                WHERE e.id_hash = scope.id_hash AND e.list_id = %(list)s AND e.category IN ('dibao', 'tekun'))
           AND NOT EXISTS (
               SELECT FROM parents p JOIN listed e
                   ON e.id_hash = p.id_hash AND e.list_id = %(list)s AND e.category IN ('dibao', 'tekun')
                WHERE p.case_id = scope.case_id)
           AND NOT EXISTS (
               SELECT FROM listed e
                WHERE e.id_hash = scope.id_hash AND e.list_id = %(list_poor_households)s
                  AND e.category IN ('dibao', 'tekun'))
        UNION ALL
        SELECT scope.case_id, 'low_income_unstated', jsonb_build_object('category', min(e.category))
          FROM scope JOIN listed e ON e.id_hash = scope.id_hash AND e.list_id = %(list)s
         WHERE scope.judged AND NOT e.category = ANY(scope.special_groups)
           AND NOT (e.category = 'tekun' AND 'dibao' = ANY(scope.special_groups))
           AND NOT (e.category = 'dibao' AND 'tekun' = ANY(scope.special_groups))
         GROUP BY scope.case_id
    """

    def row(self, read: RowReader) -> registers.Row:
        category = read.category("救助类别", CATEGORIES, usual="dibao")
        return registers.Row(read.person(), category, read.text("户编号", 20))
