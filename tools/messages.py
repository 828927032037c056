"""Collects the strings to translate into ``assets/locale``.

``python -m tools.messages`` writes the template and updates the Chinese catalog, keeping what is
translated; ``--check`` only says whether both are up to date. The files carry neither dates nor
line numbers, so that they change only when a message does. The app compiles them in memory.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE_DIR = Path("assets", "locale")
TEMPLATE = LOCALE_DIR / "explorer.pot"
CATALOGS = {"zh_CN": LOCALE_DIR / "zh_CN" / "LC_MESSAGES" / "explorer.po"}
PLURALS = {"zh_CN": (1, "0")}
KEYWORDS = {"_": 1, "N_": 1, "ngettext": 2}  # name → how many of its arguments are texts
WIDTH = 100


def sources(root: Path) -> list[Path]:
    """The Python files whose strings a person may see, in a fixed order."""
    found = [*root.glob("app.py"), *root.glob("pages/*.py"), *root.glob("explorer/**/*.py")]
    return sorted(found)


def extract(root: Path) -> Catalog:
    """The template: every marked message."""
    template = _empty(None)
    for path in sources(root):
        for message in marked(path.read_text("utf-8")):
            template.add(message)
    return template


def marked(source: str) -> Iterator[str | tuple[str, str]]:
    """The messages of a Python source; a pair is a singular with its plural.

    Read from the syntax tree and not from the tokens as Babel does, for Python 3.11 has one token
    for a whole f-string and would leave out what is marked inside it.
    """
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        texts = [
            argument.value
            for argument in node.args[: KEYWORDS.get(node.func.id, 0)]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        if texts and texts[0] and len(texts) == KEYWORDS[node.func.id]:
            yield texts[0] if len(texts) == 1 else (texts[0], texts[1])


def update(template: Catalog, locale: str, existing: bytes | None) -> Catalog:
    """The catalog of ``locale`` with exactly the template's messages, translations kept.

    A message that is new comes in empty and one that is gone goes: nothing is guessed from similar
    messages, because a guess would be shown as if it were right.
    """
    catalog = _empty(locale)
    old = read_po(BytesIO(existing), locale=locale) if existing else _empty(locale)
    for message in template:
        if not message.id:
            continue
        known = old.get(message.id, message.context)
        translated = known.string if known is not None and not known.fuzzy else None
        catalog.add(
            message.id,
            translated or ("" if isinstance(message.id, str) else ("",) * PLURALS[locale][0]),
            flags=message.flags,
            auto_comments=message.auto_comments,
            user_comments=known.user_comments if known is not None else (),
            context=message.context,
        )
    return catalog


def render(catalog: Catalog, locale: str | None = None) -> bytes:
    """The catalog as a .po file: sorted, without dates, line numbers or names of tools."""
    out = BytesIO()
    write_po(out, catalog, width=WIDTH, no_location=True, sort_output=True, ignore_obsolete=True)
    text = out.getvalue().decode()
    body = text.split("\n\n", 1)[1] if "\n\n" in text else ""
    return (_header(locale) + body).rstrip("\n").encode() + b"\n"


def files(root: Path) -> dict[Path, bytes]:
    """Every file as it should be, by its path below ``root``."""
    template = extract(root)
    found = {TEMPLATE: render(template)}
    for locale, path in CATALOGS.items():
        existing = (root / path).read_bytes() if (root / path).exists() else None
        found[path] = render(update(template, locale, existing), locale)
    return found


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Writes or checks the files; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.messages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when stale")
    options = parser.parse_args(arguments)
    stale = [
        (path, content)
        for path, content in files(root).items()
        if not (root / path).exists() or (root / path).read_bytes() != content
    ]
    if options.check:
        for path, _ in stale:
            print(f"{path.as_posix()} is not up to date: run make messages", file=sys.stderr)
        return 1 if stale else 0
    for path, content in stale:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
        print(f"wrote {path.as_posix()}")
    return 0


def _empty(locale: str | None) -> Catalog:
    return Catalog(locale=locale, charset="utf-8", fuzzy=False)


def _header(locale: str | None) -> str:
    lines = ["Project-Id-Version: convnet-explorer"]
    if locale is not None:
        plurals, formula = PLURALS[locale]
        lines += [
            f"Language: {locale}",
            f"Plural-Forms: nplurals={plurals}; plural={formula};",
        ]
    lines += [
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    return 'msgid ""\nmsgstr ""\n' + "".join(f'"{line}\\n"\n' for line in lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
