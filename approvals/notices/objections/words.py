"""The words of objections: why one is not accepted, what is asked before its author is named, replies to start from.

Replies are Chinese whatever the language of the page: they are what the public office says (DOMAIN.md §4.6).
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows.reasons import add_reasons

NOT_ACCEPTED: dict[str, Promise] = {
    "not_about_list": _("It is not about this list"),
    "no_facts": _("It names nothing that could be looked into"),
    "repeated": _("The same was said and answered before"),
    "not_ours": _("Another office is responsible"),
    "other": _("Other"),
}
"""Why an objection is not accepted; the sentence that goes with it is read by its author."""
PURPOSES: dict[str, Promise] = {
    "ask_back": _("To ask the author about the facts"),
    "look_at_paper": _("To look at the paper that was added"),
    "tell_result": _("To tell the author what was decided"),
}
"""What the author's identity may be opened for."""
UPHELD, ADJUSTED = "objection_upheld", "objection_adjusted"
add_reasons(
    {
        UPHELD: (_("An objection was upheld"), ["uphold"]),
        ADJUSTED: (_("An objection was upheld in part"), ["amend"]),
    }
)
TO_FILL_IN = "（请写明核实的经过和查明的事实）"
"""Where the investigator writes; a reply that still holds it is not finished."""


def template(outcome: str, about: str, appeal_days: int, final: bool, whole: bool) -> str:
    """A reply to start from. `about` says what was objected to; `final` is one upon appeal."""
    acts = "我单位将依照规定对本公示作出处理。"
    conclusion = {
        "upheld": f"异议成立。{acts}" if whole else "异议成立，取消该生本次资助资格。",
        "adjusted": f"异议部分成立。{acts}" if whole else "异议部分成立，该生的申请重新审核后再行公示。",
        "dismissed": "异议不成立，维持原公示。" if whole else "异议不成立，维持原认定。",
    }[outcome]
    work = "经县级复核" if final else "经核实"
    text = f"您反映的关于{about}的问题收悉。{work}，{TO_FILL_IN}。结论：{conclusion}"
    if final:
        return text + "本答复为最终答复。"
    if outcome == "dismissed":
        text += f"如对本答复仍有异议，可在收到本答复之日起{appeal_days}个工作日内，凭回执号在公示网站申请县级复核。"
    return text


def about(line_number: int | None) -> str:
    """名单第3号, or the whole list."""
    return f"名单第{line_number}号" if line_number else "本次公示名单"
