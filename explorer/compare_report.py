"""A comparison as one file: HTML that needs nothing else, or a table in Markdown."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from explorer.i18n import _, language

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Printed, a figure is as wide as A4 and Letter are between these margins, and shorter than a page.
_PRINT_WIDTH, _PRINT_HEIGHT = 680, 900
_STYLE = (
    """
:root{color-scheme:light}
body{font:16px/1.5 system-ui,"Noto Sans","Noto Sans CJK SC",sans-serif;max-width:1100px;
margin:2rem auto;padding:0 1rem;color:#31333f;background:#fff;overflow-wrap:break-word}
table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{border:1px solid #d5d6db;padding:.35rem .6rem;text-align:left}
th{background:#f3f4f7}h2{margin-top:2.2rem}figure{margin:1rem 0}
ul{columns:22rem;column-gap:2.5rem;padding-left:1.2rem}li{break-inside:avoid}
.note{color:#5d606d;font-size:.9rem}
@page{margin:15mm}
@media print{
body{margin:0;padding:0;max-width:none;font-size:13px;print-color-adjust:exact;
-webkit-print-color-adjust:exact}
h1{font-size:22px;margin-top:0}h2{font-size:17px;margin-top:1.5rem}
h1,h2,p{break-after:avoid}p,figure,tr,.whole{break-inside:avoid}
table{font-size:11px;break-inside:avoid}thead{display:table-header-group}
th,td{padding:.25rem .4rem}
ul{columns:2}
figure{width:WIDTHpx}
.modebar-container,.hoverlayer{display:none!important}
}
""".strip()
    .replace("WIDTH", str(_PRINT_WIDTH))
    .replace("\n", "")
)
# Plotly draws for a width in pixels: a figure is drawn anew for the paper, and back again.
_PRINTING = """
(() => {
  // Plotly forgets a figure's height for a moment whenever the window changes its size.
  const figures = [...document.querySelectorAll('.js-plotly-plot')]
    .map((one) => [one, one.layout.height ?? HEIGHT]);
  const draw = (sizes) => {
    for (const [one, height] of figures) Plotly.relayout(one, sizes(height));
  };
  const paper = () => draw((height) => ({ width: WIDTH, height: Math.min(height, HEIGHT) }));
  const screen = () => draw((height) => ({ width: null, height, autosize: true }));
  addEventListener('beforeprint', paper);
  addEventListener('afterprint', screen);
  matchMedia('print').addEventListener('change', (now) => (now.matches ? paper() : screen()));
})();
""".replace("WIDTH", str(_PRINT_WIDTH)).replace("HEIGHT", str(_PRINT_HEIGHT))
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
        items: A list of short ones, plain text, in columns.
        records: A table; one mapping a row with the same keys.
        figures: Plotly figures.
    """

    title: str
    lines: Sequence[str] = ()
    items: Sequence[str] = ()
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
        # A short one stays on one page: title, sentences, and the figure that they speak of.
        whole = ' class="whole"' if len(section.figures) == 1 and not section.records else ""
        parts.append(f"<section{whole}><h2>{html.escape(section.title)}</h2>")
        parts += [f"<p>{html.escape(line)}</p>" for line in section.lines]
        if section.items:
            listed = "".join(f"<li>{html.escape(item)}</li>" for item in section.items)
            parts.append(f"<ul>{listed}</ul>")
        if section.records:
            parts.append(_table(section.records))
        for figure in section.figures:
            number += 1
            drawn = figure.to_html(
                full_html=False, include_plotlyjs=False, div_id=f"figure-{number}",
                config={"displaylogo": False, "responsive": True},
            )  # fmt: skip
            parts.append(f"<figure>{drawn}</figure>")
        parts.append("</section>")
    parts.append(f"<script>{_PRINTING}</script></body></html>")
    return "".join(parts).encode()


def _table(records: Sequence[Mapping[str, str]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in records[0])
    rows = "".join(
        "<tr>" + "".join(f"<td>{_cell(str(value))}</td>" for value in record.values()) + "</tr>"
        for record in records
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(text: str) -> str:
    """The text; an address as a link that can be read on paper too."""
    if not text.startswith(("https://", "http://")):
        return html.escape(text)
    return f'<a href="{html.escape(text, quote=True)}">{html.escape(text)}</a>'


def markdown_table(records: Sequence[Mapping[str, str]]) -> str:
    """The table for a README or a paper; bars in cells are escaped."""
    if not records:
        return ""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

    names = list(records[0])
    rule = "|" + "---|" + "---:|" * (len(names) - 1)
    return "\n".join([line(names), rule, *(line(list(row.values())) for row in records)]) + "\n"
