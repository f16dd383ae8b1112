"""低保、特困: the list of civil affairs bears out what a family claims, or knows of one that claims nothing."""

from django.utils.translation import gettext_lazy as _

from approvals.applications.sources.base import INFO, Kind, Says
from approvals.applications.sources.lists import Column, RowReader
from approvals.applications.sources.registry import register
from approvals.people import registers

_WRITTEN = {
    "dibao": "低保 低保户 低保家庭 低保对象 低保人员 低保人口 低保金 最低生活保障 最低生活保障户 最低生活保障家庭 "
    "最低生活保障对象 最低生活保障人员 最低生活保障金 居民最低生活保障 居民最低生活保障家庭 "
    "低保a类 低保b类 低保c类 a类低保 b类低保 c类低保 低保一类 低保二类 低保三类 一类低保 二类低保 三类低保",
    "tekun": "特困 特困户 特困人员 特困家庭 特困对象 特困供养 特困供养人员 特困人员供养 特困救助供养 特困救助供养人员 "
    "特困人员救助供养 分散供养 集中供养 分散供养人员 集中供养人员 特困分散供养 特困集中供养 分散特困供养 集中特困供养 "
    "分散供养特困人员 集中供养特困人员 特困人员分散供养 特困人员集中供养 五保 五保户 五保供养 五保对象",
    "dibao_marginal": "低保边缘 低保边缘户 低保边缘家庭 低保边缘对象 低保边缘人员 低保边缘人口 最低生活保障边缘 "
    "最低生活保障边缘户 最低生活保障边缘家庭 最低生活保障边缘人口 低收入 低收入户 低收入家庭 低收入人口",
}
_AREAS = ("", "农村", "城市", "城镇", "城乡")
CATEGORIES = {area + word: code for area in _AREAS for code, words in _WRITTEN.items() for word in words.split()}
"""Categories as offices write them. Only whole words count: 非低保户 and 低保边缘家庭 both contain 低保."""


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
        return registers.Row(read.person(), category)
