"""Papers as PDF, set by Typst from a template of ours and data; no text of a user is ever read as markup.

Chinese needs a font of the system: no package carries a free one. Without one, `PaperUnavailable` says how to get it.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
import typst
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

log = structlog.get_logger(__name__)

SERIF = (
    "Noto Serif CJK SC", "Source Han Serif SC", "Source Han Serif CN", "Noto Serif SC", "FangSong", "STFangsong",
    "SimSun", "NSimSun", "Songti SC", "STSong", "AR PL UMing CN", "AR PL SungtiL GB",
)  # fmt: skip
SANS = (
    "Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "Noto Sans SC", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Microsoft YaHei", "SimHei", "PingFang SC", "Hiragino Sans GB", "STHeiti",
    "Droid Sans Fallback",
)  # fmt: skip
_ANY_CHINESE = ("CJK", "Han", "Song", "Ming", "Hei", "Kai", "WenQuanYi", "Fang", "Unifont", "Droid Sans Fallback")
HOW: Promise = _(
    "A PDF needs a Chinese font on the server. On Debian or Ubuntu: apt-get install fonts-noto-cjk. "
    "Until then, the page can be printed from the browser."
)


class PaperUnavailable(Exception):
    """No Chinese font was found on this machine; its text says how to install one."""

    def __str__(self) -> str:
        return str(HOW)


_lock = threading.Lock()
_found: tuple[typst.Fonts, list[str], list[str]] | None = None


def _look() -> tuple[typst.Fonts, list[str], list[str]]:
    """The machine's fonts and its Chinese families, serif and sans; looked up until one is there."""
    global _found
    with _lock:
        if _found is None:
            fonts = typst.Fonts()
            families = set(fonts.families())
            serif = [name for name in SERIF if name in families]
            sans = [name for name in SANS if name in families]
            if not serif and not sans:
                sans = sorted(name for name in families if any(word in name.split() for word in _ANY_CHINESE))
            if not serif and not sans:
                raise PaperUnavailable
            _found = fonts, serif or sans, sans or serif
        return _found


def forget_fonts() -> None:
    """Makes the next paper look for fonts again."""
    global _found
    _found = None


def available() -> bool:
    """Whether papers can be made here."""
    try:
        _look()
    except PaperUnavailable:
        return False
    return True


def font_file() -> tuple[Path, int] | None:
    """File and index in it of a Chinese font, for drawing on pictures; None where there is none."""
    try:
        fonts, _serif, sans = _look()
    except PaperUnavailable:
        return None
    infos = [info for info in fonts.fonts() if info.family in sans and info.path and info.style == "normal"]
    best = min(infos, key=lambda info: (sans.index(info.family), abs(info.weight - 400)), default=None)
    return (Path(best.path), best.index) if best else None


_APART = """
import json, sys, typst
given = json.load(sys.stdin)
sys.stdout.buffer.write(typst.compile(given["template"], root=given["root"], font_paths=typst.Fonts(),
                                      sys_inputs=given["inputs"], pdf_tags=False))
"""


def render_apart(template: Path, data: Mapping[str, Any]) -> bytes:
    """`render` for a piece of a long paper: in a process of its own, since Typst keeps in memory what it has set of the
    last ten papers; without the tags for screen readers, which take as long again. Raises PaperUnavailable.
    """
    _fonts, serif, sans = _look()
    full = {**data, "fonts": {"serif": serif[:3], "sans": sans[:3]}}
    inputs = {"data": json.dumps(full, ensure_ascii=False, default=str)}
    given = {"template": str(template), "root": str(template.parent), "inputs": inputs}
    done = subprocess.run(
        [sys.executable, "-c", _APART], input=json.dumps(given).encode(), capture_output=True, check=False
    )
    if done.returncode:
        log.error("paper_failed", template=template.name, said=done.stderr.decode(errors="replace")[-500:])
        raise RuntimeError(f"{template.name} could not be set")
    return done.stdout


def render(template: Path, data: Mapping[str, Any]) -> bytes:
    """The PDF of a Typst template filled with `data` (anything JSON can hold; other values as their text).

    The template reads `#let data = json(bytes(sys.inputs.data))`; `data.fonts.serif` and `data.fonts.sans` are the
    families to set it in. A list of more than 2,000 rows is better made in pieces: Typst keeps all of it in memory.
    Raises PaperUnavailable without a Chinese font.
    """
    fonts, serif, sans = _look()
    full = {**data, "fonts": {"serif": serif[:3], "sans": sans[:3]}}
    pdf, warnings = typst.compile_with_warnings(
        str(template),
        root=str(template.parent),
        font_paths=fonts,
        sys_inputs={"data": json.dumps(full, ensure_ascii=False, default=str)},
    )
    for warning in warnings:
        log.warning("paper_warning", template=template.name, warning=str(warning.message))
    return bytes(pdf)
