"""A comparison as one file: HTML that needs nothing else, or a table in Markdown."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from explorer.i18n import _, language

if TYPE_CHECKING:
    import plotly.graph_objects as go

_STYLE = """
body{font:16px/1.5 system-ui,"Noto Sans","Noto Sans CJK SC",sans-serif;max-width:1100px;
margin:2rem auto;padding:0 1rem;color:#31333f;background:#fff}
table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{border:1px solid #d5d6db;padding:.35rem .6rem;text-align:left}
th{background:#f3f4f7}h2{margin-top:2.2rem}figure{margin:1rem 0;break-inside:avoid}
.note{color:#5d606d;font-size:.9rem}
@media print{body{margin:0;max-width:none}a::after{content:" (" attr(href) ")"}}
"""
# What a file opened from disk may load: itself only.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; worker-src blob:"
)


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        title: Translated.
        lines: Paragraphs, plain text.
        records: A table; one mapping a row with the same keys.
        figures: Plotly figures.
    """

    title: str
    lines: Sequence[str] = ()
    records: Sequence[Mapping[str, str]] = ()
    figures: Sequence[go.Figure] = field(default_factory=tuple)


def html_report(title: str, link: str, sections: Sequence[Section]) -> bytes:
    """One page with Plotly inside, once; it asks nothing of any other machine.

    Args:
        title: Plain text.
        link: Where the same view opens.
        sections: In order; all text is escaped here.
    """
    from plotly.offline import get_plotlyjs

    parts = [
        f'<!doctype html><html lang="{html.escape(language())}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body><h1>{html.escape(title)}</h1>",
        f'<p class="note">{html.escape(_("The same view:"))} '
        f'<a href="{html.escape(link, quote=True)}">{html.escape(link)}</a></p>',
    ]
    number = 0
    for section in sections:
        parts.append(f"<h2>{html.escape(section.title)}</h2>")
        parts += [f"<p>{html.escape(line)}</p>" for line in section.lines]
        if section.records:
            parts.append(_table(section.records))
        for figure in section.figures:
            number += 1
            drawn = figure.to_html(
                full_html=False, include_plotlyjs=False, div_id=f"figure-{number}",
                config={"displaylogo": False, "responsive": True},
            )  # fmt: skip
            parts.append(f"<figure>{drawn}</figure>")
    parts.append("</body></html>")
    return "".join(parts).encode()


def _table(records: Sequence[Mapping[str, str]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in records[0])
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{html.escape(str(value))}</td>" for value in record.values())
        + "</tr>"
        for record in records
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def markdown_table(records: Sequence[Mapping[str, str]]) -> str:
    """The table for a README or a paper; bars in cells are escaped."""
    if not records:
        return ""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

    names = list(records[0])
    rule = "|" + "---|" + "---:|" * (len(names) - 1)
    return "\n".join([line(names), rule, *(line(list(row.values())) for row in records)]) + "\n"
