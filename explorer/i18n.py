"""Words in two languages through gettext: English is the source, Simplified Chinese is complete.

The current language is a context variable, set once at the start of each script run or fragment.
"""

from __future__ import annotations

import gettext as _gettext
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LANGUAGES = {"en": "English", "zh": "简体中文"}
LOCALES = {"en": "en", "zh": "zh_CN"}
DOMAIN = "explorer"
LOCALE_DIR = Path(__file__).resolve().parent.parent / "assets" / "locale"

_language: ContextVar[str] = ContextVar("explorer_language", default="en")


def set_language(language: str) -> None:
    """Makes ``language`` ("en" or "zh") the one that ``_`` translates into, in this context."""
    _language.set(language if language in LANGUAGES else "en")


def language() -> str:
    """The current language: "en" or "zh"."""
    return _language.get()


def N_(message: str) -> str:  # noqa: N802 - gettext's customary name
    """Marks a string for extraction; it is translated later, where it is shown."""
    return message


def _(message: str) -> str:
    """The message in the current language; the English source where a translation is missing."""
    return _catalog(_language.get()).gettext(message) if message else ""


def ngettext(singular: str, plural: str, count: int) -> str:
    """The message for a count, in the current language."""
    return _catalog(_language.get()).ngettext(singular, plural, count)


@cache
def _catalog(code: str) -> _gettext.NullTranslations:
    """The compiled catalog of a language; compiled from its .po file when it is not there yet."""
    if code == "en":
        return _gettext.NullTranslations()
    folder = LOCALE_DIR / LOCALES[code] / "LC_MESSAGES"
    source = folder / f"{DOMAIN}.po"
    from io import BytesIO

    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=LOCALES[code]))
    compiled.seek(0)
    return _gettext.GNUTranslations(compiled)
