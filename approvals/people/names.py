"""Whether two spellings are one name: a bank may write 張三 for 张三, or leave the dot out of 买买提·艾力."""

from typing import Any

from django.db.models import CharField, Func, Value
from django.db.models.functions import Lower

from approvals.people.identity import normalise_name

TRADITIONAL = "張劉陳楊趙黃吳孫馬羅鄭謝韓馮鄧蕭許呂蘇盧蔣賈閻餘葉鍾範薑陸譚鄒賀顧龔萬錢湯嚴賴龍華國偉麗蘭龐齊紅"
SIMPLIFIED = "张刘陈杨赵黄吴孙马罗郑谢韩冯邓萧许吕苏卢蒋贾阎余叶钟范姜陆谭邹贺顾龚万钱汤严赖龙华国伟丽兰庞齐红"
_FOLD = str.maketrans(TRADITIONAL, SIMPLIFIED, "· ")
"""The traditional characters met in names here, one for one; dots and spaces tell nobody from another."""


def folded(name: str) -> str:
    """One spelling of a name, only to be compared."""
    return normalise_name(name).lower().translate(_FOLD)


def folded_in_sql(column: Any) -> Func:
    """`folded` for a column of names (or an expression) that were normalised when they were entered."""
    return Func(
        Lower(column), Value(TRADITIONAL + "· "), Value(SIMPLIFIED), function="translate", output_field=CharField()
    )
