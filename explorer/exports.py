"""A table of costs as a file: CSV, Excel, JSON, LaTeX, Markdown, and JSON back again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.errors import CostFileError
from explorer.i18n import N_

FORMAT = "convnet-explorer costs"
VERSION = 1
LARGEST_FILE = 20 * 2**20  # bytes


@dataclass(frozen=True, slots=True)
class Table:
    """A table and what its numbers are.

    Attributes:
        rows: One mapping a row, all with the same keys; the last row is the total.
        about: Model, input, convention, versions: goes into every format that has room for it.
        records: The rows with names that no language changes, for reading the file back.
    """

    rows: Sequence[Mapping[str, Any]]
    about: Mapping[str, Any]
    records: Sequence[Mapping[str, Any]] = ()

    @property
    def heads(self) -> list[str]:
        """Column names."""
        return list(self.rows[0]) if self.rows else []


def to_csv(table: Table) -> bytes:
    """Comma-separated, UTF-8 with a mark, so that Excel reads it as such."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=table.heads, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(
        [{key: _no_formula(value) for key, value in row.items()} for row in table.rows]
    )
    return text.getvalue().encode("utf-8-sig")


def to_json(table: Table) -> bytes:
    """``{"format", "version", "about", "rows", "records"}``; see ``read_costs``."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "about": dict(table.about),
        "rows": [dict(row) for row in table.rows],
        "records": [dict(row) for row in table.records],
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def to_excel(table: Table) -> bytes:
    """One sheet with the table, one with what its numbers are."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    sheet.title = "costs"
    sheet.append(table.heads)
    for row in table.rows:
        sheet.append([_no_formula(value) for value in row.values()])
    for cell in (*sheet[1], *sheet[sheet.max_row]):
        cell.font = Font(bold=True)
    sheet.freeze_panes = "B2"
    for place, head in enumerate(table.heads, 1):
        longest = max(len(str(row[head])) for row in table.rows)
        sheet.column_dimensions[get_column_letter(place)].width = max(len(head), longest) + 2
    about = book.create_sheet("about")
    for key, value in table.about.items():
        about.append([key, _no_formula(value if isinstance(value, str) else json.dumps(value))])
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def to_latex(table: Table) -> bytes:
    """A ``tabular`` with booktabs' rules; the caption's words stand in comments above it."""
    align = "".join("r" if _is_number(table.rows, head) else "l" for head in table.heads)
    lines = [f"% {key}: {json.dumps(value)}" for key, value in table.about.items()]
    lines += [r"\begin{tabular}{" + align + "}", r"\toprule"]
    lines += [" & ".join(_latex(head) for head in table.heads) + r" \\", r"\midrule"]
    for place, row in enumerate(table.rows):
        if place == len(table.rows) - 1 and place:
            lines.append(r"\midrule")
        lines.append(" & ".join(_latex(_shown(value)) for value in row.values()) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}", ""]
    return "\n".join(lines).encode()


def to_markdown(table: Table) -> bytes:
    """A pipe table, numbers to the right."""
    rule = ["---:" if _is_number(table.rows, head) else "---" for head in table.heads]
    lines = [_pipes(table.heads), _pipes(rule)]
    lines += [_pipes([_shown(value) for value in row.values()]) for row in table.rows]
    about = ", ".join(f"{key}: {json.dumps(value)}" for key, value in table.about.items())
    return "\n".join([*lines, "", about, ""]).encode()


FORMATS: Mapping[str, tuple[str, str, Callable[[Table], bytes]]] = {
    "csv": ("CSV", "text/csv", to_csv),
    "xlsx": (
        "Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", to_excel
    ),
    "json": ("JSON", "application/json", to_json),
    "tex": ("LaTeX", "application/x-tex", to_latex),
    "md": ("Markdown", "text/markdown", to_markdown),
}  # fmt: skip


def read_costs(data: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What ``to_json`` wrote: (about, records).

    Raises:
        CostFileError: It is no such file, or one of another version.
    """
    if len(data) > LARGEST_FILE:
        raise CostFileError(
            N_("The file has {size} bytes, more than {most}; upload one that this page made."),
            size=len(data), most=LARGEST_FILE,
        )  # fmt: skip
    try:
        document = json.loads(data)
        known = isinstance(document, dict) and document.get("format") == FORMAT
    except (ValueError, RecursionError) as error:
        raise _no_cost_file() from error
    if not known:
        raise _no_cost_file()
    if document.get("version") != VERSION:
        raise CostFileError(
            N_(
                "The file is of version {version} and this page reads version {ours}; download "
                "it anew."
            ),
            version=str(document.get("version"))[:20], ours=VERSION,
        )  # fmt: skip
    about, records = document.get("about"), document.get("records")
    whole = isinstance(about, dict) and isinstance(records, list) and records
    if not whole or not all(_is_record(record) for record in records):
        raise _no_cost_file()
    return about, records


def _no_cost_file() -> CostFileError:
    return CostFileError(
        N_("The file is no table of costs; upload a JSON file that this page made.")
    )


def _is_record(record: Any) -> bool:
    return (
        isinstance(record, dict)
        and isinstance(record.get("name"), str)
        and isinstance(record.get("kind"), str)
        and all(
            isinstance(record.get(key), int) and record[key] >= 0
            for key in ("params", "macs", "activation_bytes", "canziani_ops")
        )
    )


def _no_formula(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is quoted."""
    if isinstance(value, str) and value[:1] in "=+-@" and value[:1]:
        return f"'{value}"
    return value


def _is_number(rows: Sequence[Mapping[str, Any]], head: str) -> bool:
    return all(isinstance(row[head], int | float) or row[head] in (None, "") for row in rows)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "×": r"$\times$", "≥": r"$\geq$",
}  # fmt: skip


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _pipes(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
