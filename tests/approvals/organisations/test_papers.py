"""Papers as PDF: Chinese with its rare characters, and a clear answer where no font is."""

import io
from pathlib import Path

import pypdf
import pytest

from approvals.organisations import papers

TEMPLATE = """
#let data = json(bytes(sys.inputs.data))
#set page("a5")
#set text(font: data.fonts.serif, lang: "zh", region: "cn")
= #data.title
#for line in data.lines [- #line ]
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    file = tmp_path / "list.typ"
    file.write_text(TEMPLATE, encoding="utf-8")
    return file


def _text(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def test_rare_characters_and_middle_dots_show(template: Path) -> None:
    names = ["𠮷小禾", "龚䶮", "李㛃", "古丽·买买提"]
    text = _text(papers.render(template, {"title": "名单", "lines": names}))
    for name in names:
        assert name in text


def test_what_people_typed_is_never_read_as_markup(template: Path) -> None:
    typed = '#read("/etc/passwd") *bold* $x$ </style>'
    assert typed.replace(" ", "") in _text(papers.render(template, {"title": typed, "lines": []})).replace(" ", "")


def test_without_a_chinese_font_it_says_how_to_get_one(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoFonts:
        def families(self) -> list[str]:
            return ["DejaVu Sans", "Libertinus Serif"]

    papers.forget_fonts()
    monkeypatch.setattr(papers.typst, "Fonts", NoFonts)
    assert not papers.available()
    with pytest.raises(papers.PaperUnavailable, match="fonts-noto-cjk"):
        papers.render(template, {"title": "名单", "lines": []})
    monkeypatch.undo()
    assert papers.available()
