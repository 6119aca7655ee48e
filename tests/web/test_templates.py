"""What holds for every template: no word outside the catalogues, nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "serve" / "web"
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
ALONE = {"reports/file.html", "monitor.html"}
"""Pages that are one file each, without a server: their look is in them."""
NAMES = {
    "leadrank",
    "CSV",
    "Excel",
    "Enter",
    "j",
    "k",
    "u",
    "MLflow",
    "API",
    "PSI",
    "OpenAPI",
    "openapi",
    "json",
}
"""Words that are the same in every language."""
JINJA = re.compile(r"{{.*?}}|{%.*?%}|{#.*?#}", re.DOTALL)


class Seen(HTMLParser):
    """What a template says and has beside its Jinja."""

    def __init__(self, template: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.inline: list[str] = []
        self.feed(JINJA.sub(" ", template))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.inline += [name for name in names if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in names):
            self.inline.append(tag)
        for name in ("placeholder", "title", "alt", "aria-label"):
            self._read(names.get(name) or "")

    def handle_data(self, data: str) -> None:
        self._read(data)

    def _read(self, text: str) -> None:
        self.words += [word for word in re.findall(r"[^\W\d_]+", text) if word not in NAMES]


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER / "templates").as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_word_of_a_template_is_in_the_catalogues(path):
    assert Seen(path.read_text(encoding="utf-8")).words == []


@pytest.mark.parametrize("path", [p for p in TEMPLATES if name_of(p) not in ALONE], ids=name_of)
def test_nothing_is_inline(path):
    assert Seen(path.read_text(encoding="utf-8")).inline == []


@pytest.mark.parametrize("path", [*TEMPLATES, *(FOLDER / "static").iterdir()], ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere(path):
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//[\w.]+\.\w+/|@import|url\(", text)


def test_the_search_finds_words_and_what_is_inline():
    seen = Seen('<p style="x" onclick="y" title="word">{{ _("said") }} left</p><script>1</script>')
    assert set(seen.words) == {"word", "left"}
    assert set(seen.inline) == {"style", "onclick", "script"}


def test_a_key_of_a_mapping_never_hides_what_a_mapping_does():
    from serve.web.rendering import environment

    filled = environment("en").from_string("{{ tree.items()|length }} {{ tree.North }}")
    assert filled.render(tree={"items": None, "North": "top"}) == "2 top"


def test_a_key_that_a_mapping_does_not_have_is_an_error():
    from jinja2 import UndefinedError

    from serve.web.rendering import environment

    with pytest.raises(UndefinedError):
        environment("en").from_string("{{ tree.South }}").render(tree={"North": "top"})
