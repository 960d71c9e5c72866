"""Names of columns may hold anything: they are shown, and never become part of a format."""

import functools
import html.parser
import json
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import backpath as bp
from backpath.files.wording import plain
from nasty import NASTY

NET = bp.Network((2, 2, 1), seed=0)


def explained(label):
    d = bp.derive(NET, "W11_1", labels={"X1": label})
    return [d, d.evaluate([0.5, 1], [1]), bp.explain_step(NET, [0.5, 1], [1], labels={"X1": label})]


class Skeleton(html.parser.HTMLParser):
    """The tags and attributes of a page, and its words."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.shape, self.words = [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.shape.append((tag, tuple(attrs)))

    def handle_endtag(self, tag):
        self.shape.append(tag)

    def handle_comment(self, data):
        self.shape.append(("comment", data))

    def handle_data(self, data):
        self.words += data


@functools.cache
def harmless_shapes():
    """The skeletons of the pages, and of the parts for notebooks, with a label that means nothing."""
    harmless = explained("harmless")
    return [Skeleton(e.html()).shape for e in harmless], [Skeleton(e._repr_html_()).shape for e in harmless]


labels = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(NASTY)


def with_examples(test):
    for label in NASTY:
        test = example(label)(test)
    return test


@with_examples
@settings(max_examples=12)
@given(labels)
def test_a_page_has_the_same_tags_whatever_the_label(label):
    for ours, shape, part in zip(explained(label), *harmless_shapes()):
        page = Skeleton(ours.html())
        assert page.shape == shape
        assert plain(label) in page.words
        assert Skeleton(ours._repr_html_()).shape == part


@with_examples
@settings(max_examples=12)
@given(labels)
def test_mathml_has_the_same_elements_whatever_the_label(label):
    for ours, harmless in zip(explained(label), explained("harmless")):
        tree = ET.fromstring(ours.mathml())
        assert [e.tag for e in tree.iter()] == [e.tag for e in ET.fromstring(harmless.mathml()).iter()]
        assert any(plain(label) in (e.text or "") for e in tree.iter())


@with_examples
@settings(max_examples=12)
@given(labels)
def test_a_terminal_gets_no_control_characters(label):
    for ours in explained(label):
        assert all(c.isprintable() for c in str(ours).replace("\n", ""))
        assert len(re.findall(r"\n  X1(?: |$)", str(ours))) == 1  # the label's row, and no line that the label made


@with_examples
@settings(max_examples=12)
@given(labels)
def test_json_gives_the_label_back(label):
    for ours in explained(label):
        assert json.loads(ours.json())["labels"] == {"X1": plain(label)}


def latex_tokens(tex):
    """Commands and special characters, as TeX reads them."""
    return re.findall(r"\\[a-zA-Z]+|\\.|[{}$&#%_^~]|\\$", tex)


# what a label may become: escapes, text symbols, and the groups around them
ALLOWED = {
    *(rf"\{c}" for c in "{}$&#%_"), "{", "}", r"\textbackslash", r"\textasciicircum", r"\textasciitilde",
    r"\textless", r"\textgreater", r"\textbar", r"\textquotedbl", r"\textquotesingle", r"\textasciigrave",
    r"\dots", r"\ensuremath", r"\times", r"\cdot", r"\sigma", r"\delta", r"\eta", r"\Sigma", r"\Phi", r"\varphi",
    r"\to", r"\partial", r"\le", r"\ge", r"\circ", r"\textsuperscript",
}  # fmt: skip


@with_examples
@settings(max_examples=12)
@given(labels)
def test_latex_of_a_label_is_letters_and_escapes_alone(label):
    for ours in explained(label):
        tex = ours.latex()
        assert tex.isprintable() or {c for c in tex if not c.isprintable()} == {"\n"}
        line = tex[tex.rindex("input & is") :].split("\n")[1]
        cell = line.removeprefix("$X1$ & ").removesuffix(r" \\")
        assert line.startswith("$X1$ & ")
        assert line.endswith(r" \\")
        found = latex_tokens(cell)
        assert set(found) <= ALLOWED
        depth = 0
        for token in found:
            depth += {"{": 1, "}": -1}.get(token, 0)
            assert depth >= 0
        assert depth == 0
        assert all(ord(c) < 256 for c in cell)


@with_examples
@settings(max_examples=12)
@given(labels)
def test_markdown_of_a_label_is_text_alone(label):
    """Every character that Markdown, GitHub's tables or formulas take for more than text is escaped."""
    for ours in explained(label):
        text = ours.markdown()
        row = next(line for line in text[text.rindex("| input | is |") :].splitlines() if line.startswith("| $X1$"))
        cell = row.removeprefix("| $X1$ | ").removesuffix(" |")
        bare = re.sub(r"\\[\\`*_\[\]|~^]|&(?:amp|lt|gt|#36|#58|#64|#46);", "", cell)
        assert re.findall(r"[`*_\[\]|~^<>&$@]|www\.|:(?=\S)", bare) == []


def test_the_label_is_readable_in_markdown():
    text = bp.derive(NET, "W11_1", labels={"X1": "petal length (cm)"}).markdown()
    assert "| $X1$ | petal length (cm) |" in text


@pytest.mark.parametrize("label", NASTY)
def test_a_browser_sees_no_element_of_the_label(label):
    """html.parser is not the only reader: the bytes themselves hold no tag that the label could have opened."""
    page = bp.derive(NET, "W11_1", labels={"X1": label}).html()
    for tag in ("<script", "<img", "onerror=", 'onmouseover="', "<!--"):
        assert tag not in page.replace("&quot;", "'").replace("onerror=alert(1)&gt;", "")
