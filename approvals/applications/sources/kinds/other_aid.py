"""其他资助: the pupil is paid for the same purpose elsewhere, or something that excludes this aid."""

from django.utils.translation import gettext_lazy as _

from approvals.applications.rosters.checking import bare, shown
from approvals.applications.sources.base import BLOCK, INFO, Kind, Says
from approvals.applications.sources.lists import Column, RowReader, told
from approvals.applications.sources.registry import register
from approvals.people import registers
from approvals.programmes import queries as programmes
from approvals.programmes.terms import Term, UnknownTerm


@register
class OtherAid(Kind):
    code = registers.OTHER_AID
    title = _("Aid paid by others")
    offices = _("other counties' aid centres, human resources office, federations, donors' offices")
    columns = (
        Column("姓名", "学生姓名 受助人姓名", example="示例甲"),
        Column("身份证号", "学生身份证号 受助人身份证号", required=True, example="130499201203050010"),
        Column("资助项目", "项目 项目名称 资助名称 补助名称 资助类型 补助项目", required=True, example="义教生活补助"),
        Column("发放单位", "资助单位 经办单位 发放机构 资助来源 单位名称 单位", example="某县学生资助管理中心"),
        Column("学期", "学年 学年学期 资助学期 发放学期", example="2026-2027-1"),
    )
    max_age = 180
    says = {
        "other_aid_exclusive": Says(
            _("Paid elsewhere, mutually exclusive"),
            _("%(offices)s pay %(aids)s in the same school year, which excludes this programme."),
            BLOCK,
        ),
        "other_aid": Says(
            _("Other aid, purpose to be checked"),
            _("%(offices)s pay %(aids)s in the same school year: is it for the same purpose?"),
        ),
        "other_aid_besides": Says(
            _("Other aid, not exclusive"),
            _("%(offices)s pay %(aids)s besides, which does not exclude this programme."),
            INFO,
        ),
    }
    statement = """
        SELECT case_id, code, jsonb_build_object('aids', jsonb_agg(DISTINCT aid), 'offices', jsonb_agg(DISTINCT office))
                   AS said
          FROM (
              SELECT scope.case_id, e.told ->> 'aid' AS aid, COALESCE(e.told ->> 'office', '') AS office,
                     CASE e.category WHEN scope."group" THEN 'other_aid_exclusive' WHEN '' THEN 'other_aid'
                                     ELSE 'other_aid_besides' END AS code
                FROM scope JOIN listed e ON e.id_hash = scope.id_hash AND e.list_id = %(list)s
               WHERE e.school_year IN ('', scope.school_year)) paid
         GROUP BY case_id, code
    """

    def row(self, read: RowReader) -> registers.Row:
        aid = read.text("资助项目", 60, required=True)
        return registers.Row(
            read.person(),
            _group_of(aid, read),
            name=aid,
            school_year=_school_year(read),
            told=told(aid=aid, office=read.text("发放单位", 60)),
        )

    def category_name(self, category: str) -> str:
        return programmes.group_name(category) if category else str(_("Purpose not known"))


def _group_of(aid: str, read: RowReader) -> str:
    """The exclusive group that an aid's name belongs to; empty where no programme of ours is called so."""
    if "groups" not in read.memory:
        read.memory["groups"] = {
            bare(name): rules.group
            for rules in (version.rules for version in programmes.current())
            for name in (rules.code, rules.project, rules.name, rules.group, rules.group_name, *rules.also_written)
        }
    return str(read.memory["groups"].get(bare(aid), ""))


def _school_year(read: RowReader) -> str:
    """The school year of a term or of a school year; empty for a blank cell: any."""
    text = read.text("学期")
    if not text:
        return ""
    for attempt in (text, f"{text.removesuffix('度').removesuffix('学年')}-1"):
        try:
            return Term.of(attempt).school_year
        except UnknownTerm:
            continue
    read.refuse("学期", "year_unknown", text=shown(text))
    return ""
