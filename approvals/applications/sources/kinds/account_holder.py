"""账户户名: whose the account is by the bank's own list, whether others hold it too, whether it is still open."""

from django.utils.translation import gettext_lazy as _

from approvals.applications.sources.base import Kind, Says
from approvals.applications.sources.lists import Column, RowReader, told
from approvals.applications.sources.registry import register
from approvals.people import registers
from approvals.people.masking import mask_name
from approvals.people.models import Guardian

_WRITTEN = {
    "": "正常 正常户 账户正常 状态正常 正常使用 有效 已激活 激活 正常已激活 开户 已开户",
    "closed": "销户 注销 已销户 已注销 冻结 已冻结 部分冻结 全部冻结 挂失 已挂失 口头挂失 书面挂失 止付 已止付 "
    "全部止付 睡眠 睡眠户 休眠 休眠户 不动户 长期不动户 久悬 久悬户 未激活 待激活 停用 已停用 只收不付 不收不付",
}
STATES = {word: code for code, words in _WRITTEN.items() for word in words.split()}
"""States of an account as banks write them; an account that pays nothing out, or takes nothing in, is not in use."""


@register
class AccountHolder(Kind):
    code = registers.ACCOUNT_HOLDER
    title = _("Account holders by the bank")
    offices = _("the paying bank")
    columns = (
        Column("银行账号", "", required=True, example="6219990000000000010"),
        Column("户名", "姓名 客户姓名 客户名称", required=True, example="示例甲"),
        Column("账户状态", "状态 账号状态 卡状态 账户状况", example="正常"),
    )
    number = "银行账号"
    max_age = 180
    says = {
        "holder_differs": Says(
            _("Account of somebody else"),
            _("By the bank's list the account is held by %(holders)s, neither pupil nor guardian."),
        ),
        "account_two_holders": Says(
            _("Account with several holders"), _("The bank's list has %(count)s holders of this account.")
        ),
        "account_closed": Says(
            _("Account not in use"), _("By the bank's list the account is closed, blocked or not in use.")
        ),
    }
    statement = f"""
        SELECT case_id, code, said FROM (
            SELECT scope.case_id, count(DISTINCT e.name) AS names, bool_or(e.category = 'closed') AS closed,
                   bool_or(e.name IN (scope.pupil, scope.guardian_name) OR EXISTS (
                       SELECT FROM {Guardian._meta.db_table} g
                        WHERE g.student_id = scope.student_id AND g.name = e.name)) AS ours,
                   jsonb_agg(DISTINCT e.told ->> 'holder') AS holders
              FROM scope
              JOIN listed e ON e.id_hash = scope.account_hash AND e.list_id = %(list)s
             GROUP BY scope.case_id) held,
               LATERAL (VALUES ('holder_differs', NOT ours, jsonb_build_object('holders', holders)),
                               ('account_two_holders', names > 1, jsonb_build_object('count', names)),
                               ('account_closed', closed, '{{}}'::jsonb)) AS about (code, holds, said)
         WHERE holds
    """

    def row(self, read: RowReader) -> registers.Row:
        holder = read.name("户名")
        state = read.category("账户状态", STATES, usual="")
        return registers.Row(read.account(), state, name=holder, told=told(holder=mask_name(holder)))

    def category_name(self, category: str) -> str:
        return str(_("closed, blocked or not in use") if category else _("in use"))
