"""残疾: the list of the disabled persons' federation bears out a claim, or knows of a pupil who claims nothing."""

from django.utils.translation import gettext_lazy as _

from approvals.applications.sources.base import INFO, Kind, Says
from approvals.applications.sources.lists import Column, RowReader, told
from approvals.applications.sources.registry import register
from approvals.people import registers


@register
class Disabled(Kind):
    code = registers.DISABLED
    title = _("Holders of a disability certificate")
    offices = _("disabled persons' federation")
    columns = (
        Column("姓名", "残疾人姓名", example="示例甲"),
        Column("身份证号", "残疾人身份证号 残疾人身份证号码", required=True, example="130499201203050010"),
        Column("残疾类别", "残疾类型 类别", example="听力"),
        Column("残疾等级", "等级 级别 残疾级别", example="二级"),
    )
    max_age = 180
    claims = True
    says = {
        "not_disabled": Says(
            _("No disability certificate"),
            _("Stated as a pupil with a disability, but the list has no certificate of the pupil's."),
        ),
        "parent_not_disabled": Says(
            _("No disability certificate of a guardian"),
            _("Stated as a child of a person with a disability, but the list has no certificate of a guardian's."),
        ),
        "disabled_unstated": Says(
            _("Disability certificate, not stated"),
            _("The list has a disability certificate that the application does not state."),
            INFO,
        ),
    }
    statement = """
        SELECT scope.case_id, 'not_disabled' AS code, '{}'::jsonb AS said
          FROM scope
         WHERE scope.judged AND 'disabled_student' = ANY(scope.special_groups)
           AND NOT EXISTS (SELECT FROM listed e
                            WHERE e.id_hash = scope.id_hash AND e.list_id = %(list)s)
        UNION ALL
        SELECT scope.case_id, 'parent_not_disabled', '{}'
          FROM scope
         WHERE scope.judged AND 'child_of_disabled' = ANY(scope.special_groups)
           AND NOT EXISTS (SELECT FROM parents p JOIN listed e
                               ON e.id_hash = p.id_hash AND e.list_id = %(list)s
                            WHERE p.case_id = scope.case_id)
        UNION ALL
        SELECT DISTINCT scope.case_id, 'disabled_unstated', '{}'::jsonb
          FROM scope JOIN listed e ON e.id_hash = scope.id_hash AND e.list_id = %(list)s
         WHERE scope.judged AND NOT 'disabled_student' = ANY(scope.special_groups)
    """

    def row(self, read: RowReader) -> registers.Row:
        level = told(kind=read.text("残疾类别", 40), level=read.text("残疾等级", 20))
        return registers.Row(read.person(), "", told=level)
