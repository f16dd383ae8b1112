"""Amounts in Chinese capitals (金额大写), as vouchers and rosters carry them."""

from decimal import Decimal

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
SECTIONS = ("", "万", "亿", "万亿")


def in_capitals(amount: Decimal) -> str:
    """陆佰贰拾伍元整 for 625.00. Takes yuan with two places, not negative, below 10^16."""
    fen = int(amount * 100)
    if amount < 0 or fen != amount * 100 or fen >= 10**18:
        raise ValueError(f"not an amount: {amount}")
    yuan, rest = divmod(fen, 100)
    jiao, odd = divmod(rest, 10)
    text = f"{_whole(yuan)}元" if yuan or not rest else ""
    if not rest:
        return text + "整"
    if jiao:
        text += DIGITS[jiao] + "角"
    elif yuan:
        text += "零"
    return text + (DIGITS[odd] + "分" if odd else "整")


def _whole(yuan: int) -> str:
    if not yuan:
        return DIGITS[0]
    text, gap = "", False
    for index in reversed(range(len(SECTIONS))):
        section = yuan // 10 ** (4 * index) % 10000
        if not section:
            gap = bool(text)
            continue
        if text and (gap or section < 1000):
            text += DIGITS[0]
        text += _section(section) + SECTIONS[index]
        gap = False
    return text


def _section(number: int) -> str:
    text, zero = "", False
    for place in reversed(range(4)):
        digit = number // 10**place % 10
        if digit:
            text += (DIGITS[0] if zero else "") + DIGITS[digit] + PLACES[place]
            zero = False
        else:
            zero = bool(text)
    return text
