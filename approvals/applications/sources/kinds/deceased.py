"""死亡、户籍注销: nothing is given to the dead, and a guardian who died no longer answers for a pupil."""

from django.utils.translation import gettext_lazy as _

from approvals.applications.sources.base import BLOCK, INFO, Kind, Says
from approvals.applications.sources.lists import Column, RowReader, told
from approvals.applications.sources.registry import register
from approvals.people import registers


@register
class Deceased(Kind):
    code = registers.DECEASED
    title = _("Deaths and cancelled household registrations")
    offices = _("public security, civil affairs (funerals)")
    columns = (
        Column("姓名", "死者姓名 死亡人员姓名", example="示例甲"),
        Column("身份证号", "死者身份证号 死亡人员身份证号", required=True, example="130499201203050010"),
        Column("死亡日期", "注销日期 死亡时间 注销时间 户籍注销日期 火化日期", example="2026-05-04"),
    )
    max_age = 45
    says = {
        "deceased": Says(
            _("Pupil deceased or registration cancelled"),
            _("The pupil's ID number is on the list of deaths and cancelled registrations (%(on)s)."),
            BLOCK,
            stops_payment=True,
        ),
        "guardian_deceased": Says(
            _("Guardian deceased"),
            _("A registered guardian is on the list of deaths and cancelled registrations."),
            INFO,
        ),
    }
    statement = """
        SELECT scope.case_id, 'deceased' AS code, jsonb_build_object('on', COALESCE(min(e.told ->> 'on'), '')) AS said
          FROM scope JOIN listed e ON e.id_hash = scope.id_hash AND e.list_id = %(list)s
         GROUP BY scope.case_id
        UNION ALL
        SELECT DISTINCT p.case_id, 'guardian_deceased', '{}'::jsonb
          FROM parents p JOIN listed e ON e.id_hash = p.id_hash AND e.list_id = %(list)s
    """

    def row(self, read: RowReader) -> registers.Row:
        return registers.Row(read.person(), "", told=told(on=read.day("死亡日期")))
