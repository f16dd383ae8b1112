"""The columns of a roster (DOMAIN.md §4.5) and the many ways schools head them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from approvals.people.identity import plain_text

COLUMNS: tuple[str, ...] = (
    "序号", "学校", "学校标识码", "年级", "班级", "姓名", "性别", "身份证号", "学籍号", "是否寄宿", "特殊群体类型",
    "困难等级", "资助项目", "学期", "金额", "监护人姓名", "监护人身份证号", "联系电话", "开户行", "银行账号",
    "户名", "备注",
)  # fmt: skip
"""Canonical headings, in the order of the county's template."""

EXTRA = ("出生日期", "账户类型")
"""Columns that some lists carry besides; checked where they are there."""

REQUIRED = ("姓名", "身份证号")
"""Without these a list is no roster."""

REASONS = "错误原因"
"""Our own column in a workbook that we gave back; read by nobody."""

_SYNONYMS: dict[str, str] = {
    "序号": "编号 序列 序列号 行号 no 序",
    "学校": "学校名称 就读学校 就读学校名称 所在学校 校名 学校全称 学校名 单位名称 现就读学校",
    "学校标识码": "学校代码 学校编码 学校编号 标识码 学校机构标识码 学校机构代码 机构标识码 学校识别码 "
    "学校标识代码 学校标识",
    "年级": "所在年级 就读年级 年级名称 现年级 现就读年级",
    "班级": "所在班级 就读班级 班级名称 班 班别 班号 年级班级 年班 年级班 班级年级",
    "姓名": "名字 受助人 受助人姓名 受助学生 资助对象 资助对象姓名 被资助人姓名 学生 申请人 申请人姓名",
    "性别": "男女",
    "身份证号": "身份证 身份证号码 身份证件号 身份证件号码 身份证编号 公民身份号码 公民身份证号 "
    "公民身份证号码 居民身份证号 居民身份证号码 身份号码 证件号 证件号码 身份证证号 有效身份证件号 "
    "有效证件号码 身份证明号码 二代身份证号 身份证件编号",
    "学籍号": "学籍号码 学籍编号 全国学籍号 全国学籍编号 全国统一学籍号 学籍 国网学籍号 全国学籍号码",
    "是否寄宿": "寄宿 寄宿生 是否寄宿生 是否为寄宿生 是否住宿 是否住校 是否住宿生 是否住校生 住宿 住校 "
    "住校生 寄宿情况 住宿情况 寄宿类型 就读方式 住宿类型 寄宿走读 寄宿或走读 住宿走读 住宿方式 走读寄宿 "
    "走读住宿",
    "特殊群体类型": "特殊群体 特殊困难群体 特殊困难群体类型 特殊类型 特殊群体类别 困难类型 困难类别 "
    "困难学生类型 困难学生类别 家庭类型 家庭困难类型 家庭经济困难类型 贫困类型 贫困类别 资助对象类型 "
    "资助对象类别 人员类别 人员类型 身份类别 身份类型 认定类型 认定类别 重点保障人群 重点保障人群类型 "
    "困难群体类型 户属性 特殊人群类型 家庭经济情况",
    "困难等级": "困难认定等级 认定等级 困难程度 贫困等级 家庭经济困难等级 困难档次 认定困难等级 困难级别 "
    "家庭困难程度 等级 家庭经济困难认定等级 认定结果 认定困难程度",
    "资助项目": "项目 项目名称 资助类型 资助名称 资助项目名称 申请项目 申请资助项目 补助项目 补助类型 "
    "享受项目 享受资助项目 资助政策",
    "学期": "资助学期 学年学期 申请学期 发放学期 补助学期 所属学期 学期名称",
    "金额": "资助金额 补助金额 发放金额 应发金额 申请金额 补助资金 资助资金 每学期金额 学期金额 本学期金额 "
    "金额元 每生每学期金额",
    "监护人姓名": "监护人 法定监护人 法定监护人姓名 家长 家长姓名 父母姓名 父亲或母亲姓名 第一监护人姓名 "
    "主要监护人姓名",
    "监护人身份证号": "",
    "联系电话": "电话 电话号码 手机 手机号 手机号码 联系方式 联系手机 联系手机号 联系号码 联系电话号码 "
    "移动电话",
    "开户行": "开户银行 银行 银行名称 开户行名称 开户行全称 开户银行名称 开户网点 所属银行 发卡行 发卡银行 "
    "开户机构 代发银行 开卡行 开卡银行 开户行网点",
    "银行账号": "账号 卡号 银行卡号 银行卡 银行卡账号 银行卡卡号 银行账户 账户 账户号 账户号码 银行账户号码 "
    "银行账号卡号 卡账号 账号卡号 银行卡号码 一卡通号 一卡通账号 一卡通卡号 惠农一卡通账号 "
    "惠民惠农一卡通账号 存折号 存折账号 存折号码 卡折号 卡折号码 收款账号 收款人账号 打卡账号 金融账户 "
    "金融账号 社保卡账号 社保卡银行账号 社保卡金融账号 社保卡金融账户 社会保障卡账号 社会保障卡银行账号 "
    "社会保障卡金融账号 社会保障卡金融账户 资助卡号 资助账号 发放账号 银行账号或卡号",
    "户名": "开户名 开户名称 开户姓名 开户人 开户人姓名 账户名 账户名称 账户姓名 银行户名 账号户名 持卡人 "
    "持卡人姓名 卡主 卡主姓名 收款人 收款人姓名 收款户名 银行卡户名",
    "备注": "说明 备注说明 其他说明 其它 其他",
    "出生日期": "出生年月 出生年月日 生日 出生时间",
    "账户类型": "账号类型 卡类型 卡折类型 卡折标志 卡折 账户种类 账户性质 卡种",
}  # fmt: skip
_LAST_RESORT = {
    "社保卡号": "银行账号",
    "社会保障卡号": "银行账号",
    "社保卡": "银行账号",
    "标准": "金额",
    "资助标准": "金额",
    "补助标准": "金额",
    "发放标准": "金额",
}
"""Taken only where no better heading is there: the number printed on a social-security card may be no account."""

EXACT, SYNONYM, LAST_RESORT = 0, 1, 2

_NAMES: dict[str, tuple[str, int]] = {word: (column, LAST_RESORT) for word, column in _LAST_RESORT.items()}
_NAMES |= {word: (column, SYNONYM) for column, words in _SYNONYMS.items() for word in words.split()}
_NAMES |= {column: (column, EXACT) for column in _SYNONYMS}

_NUMBERED = re.compile(r"^\d{1,2}[.、]")
_BRACKETS = re.compile(r"[(\[【〔<].*?[)\]】〕>]")
_NOISE = re.compile(r"[*★※:、,/|_\-—()\[\]【】<>。.#?\"“”']+")
_DEMANDS = re.compile(r"(必填项?|选填|可不填|文本格式|下拉选择)$")
_PUPIL = re.compile(r"^(?:受助|申请|困难|资助)?(?:学生|本人|幼儿|孩子)的?(?=.)")
_GUARDIAN = re.compile(r"^(?:法定|第一|主要)?(?:监护人?|家长|父母)(?:\(?家长\)?)?(?:信息|情况)?的?")
_ACCOUNT_GROUP = re.compile(r"银行|账户|账号|开户|一卡通|社保卡|社会保障卡|发放|卡折|收款")
_OF_GUARDIAN = {"姓名": "监护人姓名", "身份证号": "监护人身份证号", "联系电话": "联系电话"}
_OF_ACCOUNT = {"姓名": "户名", "学校": "开户行"}


def bare_heading(text: str) -> str:
    """A heading as it is looked up: without numbering, spaces and signs."""
    return _DEMANDS.sub("", _NOISE.sub("", _NUMBERED.sub("", _plain(text[:60]))))


def _plain(text: str) -> str:
    return plain_text(text).replace(" ", "").replace("帐", "账").replace("聯", "联").lower()


def _lookup(word: str) -> tuple[str, int] | None:
    word = _DEMANDS.sub("", _NOISE.sub("", word))
    if found := _NAMES.get(word):
        return found
    without = _PUPIL.sub("", word)
    found = _NAMES.get(without) if without != word else None
    return found and (found[0], SYNONYM)


def _of_guardian(word: str) -> tuple[str, int] | None:
    """监护人身份证, 家长手机号, 法定监护人证件号码: what it says of a person, said of the guardian."""
    rest = _GUARDIAN.sub("", word, count=1)
    if rest == word:
        return None
    found = _lookup(rest) if rest else ("姓名", SYNONYM)
    return (_OF_GUARDIAN[found[0]], SYNONYM) if found and found[0] in _OF_GUARDIAN else None


def _in_group(column: str, group: str) -> str:
    """What a heading means below another one: 姓名 below 监护人信息 is the guardian's."""
    if _GUARDIAN.match(group):
        return _OF_GUARDIAN.get(column, column)
    if _ACCOUNT_GROUP.search(group):
        return _OF_ACCOUNT.get(column, column)
    return column


Lookup = Callable[[str, str], tuple[str, int] | None]
"""What a heading (and the one above it) names: the canonical column, and how surely."""


@lru_cache(maxsize=4096)
def match_heading(text: str, group: str = "") -> tuple[str, int] | None:
    """The canonical column that a heading names, and how surely (EXACT, SYNONYM, LAST_RESORT); None for others.

    `group` is the heading above it, where headings stand in two rows.
    """
    word = _NUMBERED.sub("", _plain(text[:60]))
    group = _plain(group[:60])
    for attempt in (word, _BRACKETS.sub("", word)):
        found = _lookup(attempt)
        if found and found[1] == EXACT and not group:
            return found
        found = found or _of_guardian(_NOISE.sub("", attempt))
        if found:
            return (_in_group(found[0], group), found[1]) if group else found
    return None


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """Where a column was found: its heading as it stands there, its letter, and its index from 0."""

    heading: str
    letter: str
    index: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading row, or two read together: rows from 1; (group, text) for each column from A on."""

    first_row: int
    last_row: int
    texts: tuple[tuple[str, str], ...]
    lookup: Lookup = match_heading

    def matches(self) -> list[tuple[int, str, int]]:
        """Index, canonical column and sureness of every heading that is known."""
        found = ((i, self.lookup(text, group)) for i, (group, text) in enumerate(self.texts) if text)
        return [(i, *match) for i, match in found if match]

    @property
    def score(self) -> int:
        """How many different columns it names."""
        return len({column for _i, column, _sure in self.matches()})


def _pair(upper: list[str], lower: list[str]) -> tuple[tuple[str, str], ...]:
    """Two heading rows as one: a text above blanks is the group of what stands below it."""
    width = max(len(upper), len(lower))
    above = upper + [""] * (width - len(upper))
    below = lower + [""] * (width - len(lower))
    texts = []
    group = ""
    for top, bottom in zip(above, below, strict=True):
        if top:
            group = top
        texts.append((group, bottom) if bottom else ("", top))
    return tuple(texts)


def find_heading(rows: Iterable[tuple[int, list[str]]], lookup: Lookup = match_heading) -> Heading | None:
    """The row, or pair of rows, that names most columns; None where no row names any."""
    best: Heading | None = None
    most = 0
    previous: tuple[int, list[str]] | None = None
    for number, texts in rows:
        candidates = [Heading(number, number, tuple(("", text) for text in texts), lookup)]
        if previous and previous[0] == number - 1:
            candidates.append(Heading(number - 1, number, _pair(previous[1], texts), lookup))
        for candidate in candidates:
            if (score := candidate.score) > most:
                best, most = candidate, score
        previous = (number, texts)
    return best
