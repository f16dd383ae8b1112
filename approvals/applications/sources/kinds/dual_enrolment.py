"""双重学籍: the pupil is on the roll of another school too."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from approvals.applications.rosters.checking import bare_school_name
from approvals.applications.sources.base import Kind, Says
from approvals.applications.sources.lists import Column, RowReader, told
from approvals.applications.sources.registry import register
from approvals.organisations.models import FormerName, Organisation
from approvals.organisations.models import Kind as OfficeKind
from approvals.people import registers
from workflows.copying import array, ints_array


@register
class DualEnrolment(Kind):
    code = registers.DUAL_ENROLMENT
    title = _("Pupils on the roll of two schools")
    offices = _("the enrolment registers of basic and vocational education")
    columns = (
        Column("姓名", "学生姓名", example="示例甲"),
        Column("身份证号", "学生身份证号", required=True, example="130499201203050010"),
        Column("学校", "另一学校 重复学校 学籍学校 在籍学校 学籍所在学校", required=True, example="某县示例中学"),
        Column("学校标识码", "另一学校标识码", example="3113049990"),
    )
    max_age = 120
    says = {
        "dual_enrolment": Says(
            _("On the roll of another school"), _("Also on the roll of %(schools)s."), stops_payment=True
        ),
    }
    # The pupil's own school may be on the list beside the other one, under its present name or an earlier one.
    statement = """
        SELECT scope.case_id, 'dual_enrolment' AS code,
               jsonb_build_object('schools', jsonb_agg(DISTINCT e.told ->> 'school')) AS said
          FROM scope JOIN listed e ON e.id_hash = scope.id_hash AND e.list_id = %(list)s
         WHERE NOT EXISTS (
               SELECT FROM unnest(%(dual_enrolment_schools)s::bigint[], %(dual_enrolment_names)s::text[])
                           AS own (school, name)
                WHERE own.school = scope.school_id AND own.name IN (e.name, NULLIF(e.household_no, '')))
         GROUP BY scope.case_id
    """

    def params(self) -> dict[str, Any]:
        schools = Organisation.objects.filter(kind=OfficeKind.SCHOOL).values_list("pk", "name", "code")
        former = FormerName.objects.values_list("organisation", "name", "code")
        named = [
            (school, each) for school, name, code in [*schools, *former] for each in (bare_school_name(name), code)
        ]
        return {
            "dual_enrolment_schools": ints_array(school for school, _name in named),
            "dual_enrolment_names": array(name for _school, name in named),
        }

    def row(self, read: RowReader) -> registers.Row:
        school = read.text("学校", 60, required=True)
        return registers.Row(
            read.person(), "", read.text("学校标识码", 20), name=bare_school_name(school), told=told(school=school)
        )
