"""The catalog of messages: complete, fresh, and with the same fields in both languages."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from explorer.catalog.paper2016 import MARKED_NOTES, load_points
from explorer.i18n import LOCALES, N_, _, ngettext, set_language
from tools import messages

ROOT = Path(__file__).resolve().parents[2]
FIELD = re.compile(r"(?<!\{)\{(?!\{)([^{}]*)\}")
LATIN_ONLY = re.compile(r"[A-Za-z]{4,}")


def catalog(locale: str) -> Catalog:
    with (ROOT / messages.CATALOGS[locale]).open("rb") as file:
        return read_po(file, locale=locale)


def entries(locale: str) -> list[Message]:
    return [message for message in catalog(locale) if message.id]


def texts(value: str | tuple[str, ...] | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


class Whole(int):
    """A number that can also be indexed, as a chart's "%{customdata[0]:.3f}" does."""

    def __getitem__(self, key: object) -> Whole:
        return self


def fields(text: str) -> list[str]:
    """The names in braces, sorted; "{size:.1f}" and "{size}" ask for the same value."""
    return sorted(re.split(r"[:!]", found)[0] for found in FIELD.findall(text))


LANGUAGES = sorted(messages.CATALOGS)


def test_every_language_but_the_source_has_a_catalog() -> None:
    assert {locale for code, locale in LOCALES.items() if code != "en"} == set(LANGUAGES)


def test_files_are_fresh() -> None:
    for path, content in messages.files(ROOT).items():
        assert (ROOT / path).read_bytes() == content, f"{path} is stale: run make messages"


@pytest.mark.parametrize("locale", LANGUAGES)
def test_nothing_is_missing_fuzzy_or_obsolete(locale: str) -> None:
    found = catalog(locale)
    missing = [m.id for m in found if m.id and not all(texts(m.string) or [""])]
    assert not missing, f"{len(missing)} without a translation, first: {missing[:5]}"
    assert not [message.id for message in found if message.id and message.fuzzy]
    assert not list(found.obsolete)


@pytest.mark.parametrize("locale", LANGUAGES)
def test_fields_are_those_of_the_source(locale: str) -> None:
    wrong = []
    for message in entries(locale):
        # Every form may use the fields of the plural, which has the count.
        wanted = fields(texts(message.id)[-1])
        wrong += [
            (message.id, text)
            for text in texts(message.string)
            if text and sorted(set(fields(text))) != sorted(set(wanted))
        ]
    assert not wrong, wrong[:5]


@pytest.mark.parametrize("locale", LANGUAGES)
def test_translations_format(locale: str) -> None:
    """Format specifications survive: what formats in English formats in translation."""
    formatted = 0
    for message in entries(locale):
        sources = texts(message.id)
        # The plural's fields: a singular may do without the count that its translation has.
        names = [name.partition("[")[0] for name in fields(sources[-1])]
        values = {name: Whole(1) for name in names if name}
        for text in [*sources, *filter(None, texts(message.string))]:
            try:
                text.format(**values)
            except ValueError:  # a specification for text: "{name:>8}" takes a string
                text.format(**dict.fromkeys(values, "1"))
            formatted += bool(values)
    assert formatted > 100


def test_notes_of_the_2016_table_are_marked() -> None:
    """They are data, and shown where a count is held against the paper's."""
    points, _problems = load_points()
    notes = {p.note.partition(". ")[0].rstrip(".") for p in points if p.model_id and p.note}
    assert notes == set(MARKED_NOTES)


def test_no_compiled_catalog_is_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    assert "*.mo" in ignored


def test_i18n_translates_what_the_catalog_has() -> None:
    translated = [m for m in entries("zh_CN") if isinstance(m.id, str) and m.string]
    set_language("zh")
    assert _("a message that nobody wrote") == "a message that nobody wrote"
    assert _("") == ""
    assert [_(message.id) for message in translated] == [m.string for m in translated]
    assert N_("Cancel") == "Cancel"
    set_language("en")
    assert [_(message.id) for message in translated] == [m.id for m in translated]
    assert ngettext("{n} layer", "{n} layers", 1) == "{n} layer"
    assert ngettext("{n} layer", "{n} layers", 2) == "{n} layers"
    set_language("xx")
    assert _("Cancel") == "Cancel"


# --- the tool -----------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pages").mkdir()
    (tmp_path / "explorer" / "ui").mkdir(parents=True)
    (tmp_path / "app.py").write_text('_("Start")\n')
    (tmp_path / "pages" / "one.py").write_text(
        'N_("{count} ops of {name}")\nngettext("{n} layer", "{n} layers", n)\nother("not this")\n'
    )
    return tmp_path


def chinese(project: Path) -> Path:
    return project / messages.CATALOGS["zh_CN"]


def test_extracts_all_three_markers_and_nothing_else(project: Path) -> None:
    ids = {m.id for m in messages.extract(project) if m.id}
    assert ids == {"Start", "{count} ops of {name}", ("{n} layer", "{n} layers")}


def test_extracts_from_inside_f_strings() -> None:
    """In every Python: 3.11 has one token for a whole f-string, 3.12 has its parts."""
    assert list(messages.marked("st.markdown(f\"[{_('Paper')}]({link})\")")) == ["Paper"]
    others = '_("one " "text"); _(""); _(name); ngettext("a", plural, 1); ngettext("b", "c", 1)'
    assert list(messages.marked(others)) == ["one text", ("b", "c")]


def test_a_second_run_changes_nothing(project: Path) -> None:
    assert messages.main(["--check"], project) == 1
    assert messages.main([], project) == 0
    first = {path: (project / path).read_bytes() for path in messages.files(project)}
    assert messages.main(["--check"], project) == 0
    # A message that moves to another line or file changes neither file.
    (project / "explorer" / "ui" / "page.py").write_text('\n\n_("Start")\n')
    (project / "app.py").write_text("")
    assert messages.files(project) == first
    text = chinese(project).read_text("utf-8")
    assert "Plural-Forms: nplurals=1; plural=0;" in text
    assert "Date" not in text
    assert "#:" not in text


def test_translations_stay_the_gone_go_and_nothing_is_guessed(project: Path) -> None:
    messages.main([], project)
    path = chinese(project)
    text = path.read_text("utf-8")
    text = text.replace('msgid "Start"\nmsgstr ""', 'msgid "Start"\nmsgstr "开始"')
    text = text.replace('msgstr[0] ""', 'msgstr[0] "{n} 层"')
    path.write_text(text, "utf-8")
    (project / "pages" / "one.py").write_text(
        'ngettext("{n} layer", "{n} layers", n)\n_("Start!")\n'
    )
    assert messages.main(["--check"], project) == 1
    messages.main([], project)
    found = {m.id: m for m in read_po(BytesIO(path.read_bytes()), locale="zh_CN") if m.id}
    assert set(found) == {"Start", "Start!", ("{n} layer", "{n} layers")}
    assert found["Start"].string == "开始"
    assert found["Start!"].string == ""
    assert texts(found["{n} layer", "{n} layers"].string) == ["{n} 层"]
    assert not any(message.fuzzy for message in found.values())
