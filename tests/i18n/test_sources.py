"""The sources: every string that a person sees is marked, and marked so that it can be found."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.messages import sources

ROOT = Path(__file__).resolve().parents[2]
MARKERS = {"_", "N_", "ngettext"}
# Positional arguments and keywords of st.* calls that a person reads.
READ_FIRST = {
    "badge", "button", "caption", "checkbox", "download_button", "error", "expander", "feedback",
    "file_uploader", "form_submit_button", "header", "info", "link_button", "markdown", "metric",
    "multiselect", "number_input", "page_link", "pills", "popover", "radio", "segmented_control",
    "select_slider", "selectbox", "slider", "spinner", "status", "subheader", "success", "tabs",
    "text", "text_area", "text_input", "title", "toast", "toggle", "warning", "write", "dialog",
}  # fmt: skip
READ_KEYWORDS = {"label", "help", "placeholder", "caption", "captions", "text", "title", "body"}
WORD = re.compile(r"[^\W\d_]{2,}")
# Written the same in both languages: names of things, and markup.
NOT_WORDS = re.compile(r":[a-z_/-]+(?:\[|:)|<[^>]*>|&\w+;|`[^`]*`|https?://\S+")
FIELDS = re.compile(r"\{[^{}]*\}")
# The same in both languages: a search that could be typed, and the switch itself, in both at once.
SAME_IN_BOTH = {"convnext 2022", "Language · 语言"}
STREAMLIT_ROOTS = {"st", "streamlit"}


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def is_streamlit(call: ast.Call, columns: set[str]) -> bool:
    """`st.title(…)`, `st.sidebar.title(…)`, `left.title(…)` for a container made here."""
    node: ast.expr = call.func
    if not isinstance(node, ast.Attribute):
        return False
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in STREAMLIT_ROOTS | columns


def containers(tree: ast.AST) -> set[str]:
    """Names bound to what st.columns, st.container and the like return."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            targets: list[ast.expr] = list(node.targets)
            value: ast.expr = node.value
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            targets, value = [node.optional_vars], node.context_expr
        else:
            continue
        made = isinstance(value, ast.Call) and name_of(value) in {
            "columns", "container", "empty", "expander", "form", "popover", "status", "tabs",
        }  # fmt: skip
        if made:
            found |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return found


def literals(node: ast.expr) -> Iterator[ast.expr]:
    """String literals that reach the reader through this expression, outside `_()` and the like."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.Constant):
                yield part
    elif isinstance(node, ast.BinOp):
        yield from literals(node.left)
        yield from literals(node.right)
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from literals(value)
    elif isinstance(node, ast.List | ast.Tuple):
        for element in node.elts:
            yield from literals(element)
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("format", "join")  # "{a} b".format(…), " · ".join([…])
    ):
        yield from literals(node.func.value)
        for argument in node.args:
            yield from literals(argument)


def words(literal: ast.expr) -> str:
    """The text of a literal where it holds words to translate; else ""."""
    text = str(getattr(literal, "value", ""))
    bare = FIELDS.sub(" ", NOT_WORDS.sub(" ", text))
    return text if WORD.search(bare) and text not in SAME_IN_BOTH else ""


def unmarked(source: str) -> list[tuple[int, str]]:
    """(line, text) of words that are shown without a marker."""
    tree = ast.parse(source)
    columns = containers(tree)
    found = []
    for call in calls(tree):
        if not is_streamlit(call, columns):
            continue
        shown = call.args[:1] if name_of(call) in READ_FIRST else []
        shown += [k.value for k in call.keywords if k.arg in READ_KEYWORDS]
        for argument in shown:
            for literal in literals(argument):
                if text := words(literal):
                    found.append((literal.lineno, text))
    return found


def misused(source: str) -> list[tuple[int, str]]:
    """(line, why) of markers that the extraction cannot read."""
    found = []
    tree = ast.parse(source)
    for call in calls(tree):
        if not (isinstance(call.func, ast.Name) and call.func.id in MARKERS):
            continue
        wanted = 2 if call.func.id == "ngettext" else 1
        for argument in call.args[:wanted]:
            if isinstance(argument, ast.JoinedStr):
                found.append((call.lineno, "an f-string is evaluated before it is looked up"))
            elif isinstance(argument, ast.BinOp):
                found.append((call.lineno, "a sum of strings is evaluated before it is looked up"))
            elif isinstance(argument, ast.Call) and name_of(argument) in ("format", "join"):
                found.append((call.lineno, "format after translating: _(…).format(…)"))
            elif call.func.id != "_" and not isinstance(argument, ast.Constant):
                found.append((call.lineno, f"{call.func.id}() marks a literal"))
    # `from explorer.i18n import _ as t` would hide every message from the extraction.
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "explorer.i18n":
            found += [
                (node.lineno, f"{alias.name} is imported under another name")
                for alias in node.names
                if alias.name in MARKERS and alias.asname not in (None, alias.name)
            ]
    return found


def messages_without_marker(source: str) -> list[tuple[int, str]]:
    """(line, text) of `SomethingError("…")` whose sentence is not marked for translation."""
    from explorer import errors

    own = {name for name, value in vars(errors).items() if isinstance(value, type)}
    return [
        (call.lineno, ast.unparse(call.args[0]))
        for call in calls(ast.parse(source))
        if name_of(call) in own and call.args and any(map(words, literals(call.args[0])))
    ]


SHOWN = [path for path in sources(ROOT) if path.is_relative_to(ROOT / "explorer" / "ui")]
SHOWN += [path for path in sources(ROOT) if not path.is_relative_to(ROOT / "explorer")]


def report(check: object, paths: list[Path]) -> str:
    return "\n".join(
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in paths
        for line, text in check(path.read_text("utf-8"))  # type: ignore[operator]
    )


def test_words_given_to_streamlit_are_marked() -> None:
    assert SHOWN
    found = report(unmarked, SHOWN)
    assert not found, f"wrap these in _():\n{found}"


def test_what_needs_no_marker_is_still_there() -> None:
    shown = "".join(path.read_text("utf-8") for path in SHOWN)
    assert [text for text in SAME_IN_BOTH if text not in shown] == []


def test_markers_hold_literals() -> None:
    found = report(misused, sources(ROOT))
    assert not found, found


def test_sentences_of_errors_are_marked() -> None:
    found = report(messages_without_marker, sources(ROOT))
    assert not found, f"wrap these in N_():\n{found}"


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('st.title("Layer graph")', 1),
        ('st.title(_("Layer graph"))', 0),
        ('st.sidebar.button("Go on", help="It helps")', 2),
        ('left, right = st.columns(2)\nleft.metric("Top score", 3)', 1),
        ('with st.container() as box:\n    box.caption(f"{n} layers")', 1),
        ('st.caption(f"{n} × {m}")', 0),
        ('st.caption("{name} · {n}".format(name=x, n=3))', 0),
        ('st.markdown(":material/info: " + _("Hello"))', 0),
        ("st.markdown(\"<span class='x'></span>\")", 0),
        ('st.write("Yes" if ok else _("No"))', 1),
        ('st.tabs(["One tab", _("Two")])', 1),
        ('st.markdown("{n} layers".format(n=3))', 1),
        ('st.selectbox(_("Model"), options, key="model")', 0),
        ('log.info("words for the log")', 0),
    ],
)
def test_the_search_for_words_can_find(source: str, count: int) -> None:
    assert len(unmarked(source)) == count


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('_(f"{n} layers")', 1),
        ('_("{n} layers".format(n=1))', 1),
        ('_("one" + two)', 1),
        ("_(spec.message)", 0),
        ("_(NAMES.get(kind, kind))", 0),
        ("N_(message)", 1),
        ('ngettext("{n} layer", f"{n} layers", n)', 1),
        ('_("{n} layers").format(n=1)', 0),
        ('_("one " "string")', 0),
        ("from explorer.i18n import _ as t", 1),
        ("from explorer.i18n import _, N_", 0),
    ],
)
def test_the_search_for_misuse_can_find(source: str, count: int) -> None:
    assert len(misused(source)) == count


def test_the_search_for_errors_can_find() -> None:
    assert messages_without_marker('raise ImageError("No image.")')
    assert messages_without_marker('raise errors.ImageError(f"No {x}.")')
    assert not messages_without_marker('raise ImageError(N_("No image."))')
    assert not messages_without_marker('raise ValueError("for programmers")')
