"""Fragments of HTML: card, paragraph, table. Every text that comes in is escaped."""

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from journeylab.base.characters import visible
from journeylab.base.kinds import checked_class
from journeylab.base.ordering import settled
from journeylab.base.sheets import harmless
from journeylab.base.words import elapsed

# JupyterLab aligns every cell of a table right. Our pages have their own styles, so they leave this out.
FLUSH_LEFT = (
    "<style>.jl-table :is(th, td):not(.number) { text-align: left; vertical-align: top; } "
    ".jl-table caption { text-align: left; }</style>"
)


def escape(text: str) -> str:
    """`text` as HTML that shows it, and does nothing else."""
    return html.escape(visible(text))


def paragraph(text: str) -> str:
    """`text` as a paragraph."""
    return f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """`text` as the heading of a part of a card."""
    return f"<h4>{escape(text)}</h4>"


def listing(texts: Iterable[str]) -> str:
    """`texts` as a list."""
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def quotation(text: str, *, origin: str) -> str:
    """`text`, in any writing direction, as a quotation with its origin."""
    return (
        f'<blockquote class="jl-quote"><p dir="auto">“{escape(text)}”</p><footer>{escape(origin)}</footer></blockquote>'
    )


def card(title: str, *fragments: str) -> str:
    """A titled box around `fragments`, which are HTML already."""
    return f'<section class="jl-card"><h3>{escape(title)}</h3>{"".join(fragments)}</section>'


def table(rows: pd.DataFrame, *, caption: str | None = None, csv: bool = True, days: Sequence[str] = ()) -> str:
    """`rows` as a table: numbers right-aligned to three significant digits, missing cells as “–”; index left out.

    The columns `days` hold days, and so does one whose name ends in “_days”: less than one is written in hours, minutes
    or seconds. With `csv`, a link under the table carries the same rows, unrounded, inside the page.
    """
    sides = {column: _side(rows[column]) for column in rows.columns}
    head = "".join(f"<th{side}>{escape(_label(column))}</th>" for column, side in sides.items())

    def shown(column: object, value: object) -> str:
        is_time = column in days or str(column).endswith("_days")
        return elapsed(value) if is_time and isinstance(value, float) and 0 < abs(value) < 1 else cell(value)

    body = "".join(
        f"<tr>{''.join(f'<td{sides[name]}>{escape(shown(name, value))}</td>' for name, value in row.items())}</tr>"
        for row in rows.astype(object).to_dict("records")
    )
    if not len(rows):
        body = f'<tr><td colspan="{len(rows.columns)}">no rows</td></tr>'
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    link = _csv_link(rows) if csv else ""
    rows_of_html = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="jl-table">{FLUSH_LEFT}<table>{title}{rows_of_html}</table>{link}</div>'


@checked_class
@dataclass(frozen=True)
class Table:
    """`rows` with a `caption`, shown in JupyterLab and in reports as `table` shows it, with a link to the data. `days`:
    the columns that hold days under another name."""

    rows: pd.DataFrame
    caption: str | None = None
    days: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return self.rows.to_string(index=False)

    def _repr_html_(self) -> str:
        return table(self.rows, caption=self.caption, days=self.days)


def cell(value: object) -> str:
    """One value as text: times to the minute, floats to three significant digits, missing as “–”."""
    if value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)):
        return "–"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        value = float(settled(value))
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def _label(column: object) -> str:
    return str(column).replace("_", " ")


def _side(column: pd.Series) -> str:
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return ' class="number"' if is_number else ""


def _csv_link(rows: pd.DataFrame) -> str:
    safe = rows.rename(columns=harmless).map(harmless)
    data = base64.b64encode(safe.to_csv(index=False, lineterminator="\n").encode()).decode()
    return f'<a class="jl-data" download="table.csv" href="data:text/csv;charset=utf-8;base64,{data}">Data (CSV)</a>'
