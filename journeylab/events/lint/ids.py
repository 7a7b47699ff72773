"""Ids: do the log's ids stand for one customer each, and for those of the customers' table?"""

import re
from collections.abc import Iterator

import pandas as pd

from journeylab.base.words import counted, listed, percent
from journeylab.events.lint.remarks import Remark, warning
from journeylab.events.lint.spellings import form_of, same_forms
from journeylab.events.log import EventLog

IDS, TABLE = "events: customer_id", "customers"
# What programs write for a customer whom they do not know, without blanks and upper case.
_FOR_NOBODY = """
    undefined null none nil nan nat na n/a n.a. #n/a #n/d #ref! #value! #name? - -- --- . ? * -1 [] {} \\n [object]
    [objectobject] (null) (none) (empty) (notset) <na> <null> <none> notset not_set empty missing unknown anonymous
    guest id user_id userid customer_id customerid distinct_id distinctid user customer email true false tbd noid no_id
    default deleted not_authenticated notavailable notapplicable
"""
_PLACEHOLDERS = frozenset(_FOR_NOBODY.split())
# All zeros or all f, as of an empty UUID; a template that nobody filled in.
_EMPTY_CODE = re.compile(r"\{?(?:0+(?:-0+)*|f{8}(?:-f+)+)\}?")
_TEMPLATE = re.compile(r"\{\{.*\}\}|\$\{.*\}|<%.*%>|%.+%|<[a-z_]+>")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+e\+?|e\+)\d{1,3}", re.IGNORECASE)
# An id is outsize with so large a share of all events, and so many times what the busiest 5% of the others begin with.
_OUTSIZE_SHARE, _OUTSIZE_TIMES, _BUSY, _ENOUGH = 0.05, 5, 0.95, 20
# A spreadsheet keeps 15 digits of a number, a float 53 bits.
_KEPT_DIGITS, _EXACT = 15, 2**53
_LONG, _ZEROS = 11, "00000"
_FEW, _MANY = 0.01, 0.1
_AS_TEXT = "Export the ids again, as text. The digits that were cut off are not in this file any more."
_CHECK_BOTH = (
    "Check that both are of the same customers and the same day. Without attributes, a customer is in no group."
)


def doubtful_ids(customers: pd.DataFrame) -> Iterator[Remark]:
    """Ids that stand for nobody, for several customers, or for one who has another id too.

    customers: columns `customer_id` and `events`, how many the log has of each.
    """
    events = customers.set_index("customer_id")["events"].sort_index()
    placeholders = _placeholders(events)
    yield from _placeholder_remarks(events, placeholders)
    total, events = int(events.sum()), events.drop(placeholders)
    yield from _outsize(events, total=total)
    cut = [text for text in events.index if _SCIENTIFIC.fullmatch(text.strip())]
    yield from _cut_remarks(events, cut) if cut else _rounded(events)
    yield from _split(events)


def _placeholders(events: pd.Series) -> list[str]:
    placeholders = [text for text in events.index if _is_placeholder(text)]
    numbers = [text for text in placeholders if form_of(text).strip("-{}0") == ""]
    # Where customers are simply counted from 0, the first of them is a customer.
    if numbers and "1" in {form_of(text) for text in events.index if text.strip().isdigit()}:
        placeholders = [text for text in placeholders if text not in numbers or _is_outsize(events, text)]
    return placeholders


def _is_placeholder(text: str) -> bool:
    form = "".join(text.split()).casefold().strip("'\"`")
    return form in _PLACEHOLDERS or any(kind.fullmatch(form) for kind in (_EMPTY_CODE, _TEMPLATE))


def _is_outsize(events: pd.Series, text: str) -> bool:
    others = events.drop(text)
    if len(others) < _ENOUGH or events[text] < _OUTSIZE_SHARE * events.sum():
        return False
    return bool(events[text] >= _OUTSIZE_TIMES * others.quantile(_BUSY, interpolation="higher"))


def _placeholder_remarks(events: pd.Series, placeholders: list[str]) -> Iterator[Remark]:
    total = int(events.sum())
    for text in placeholders:
        yield warning(
            "placeholder-id",
            IDS,
            f"The id “{text}” is what programs write for a customer whom they do not know. It has "
            f"{counted(int(events[text]), 'event')} ({percent(events[text] / total)} of all), which count as one "
            "customer.",
            "Find out whose events these are, or leave the id empty in the source: rows without a customer are "
            "refused, and counted as such.",
        )


def _outsize(events: pd.Series, *, total: int) -> Iterator[Remark]:
    busiest = events.sort_values(ascending=False, kind="stable").index[:3]
    for text in [text for text in busiest if _is_outsize(events, text)]:
        usual = events.drop(text).median()
        yield warning(
            "outsize-id",
            IDS,
            f"One id has {percent(events[text] / total)} of all events: {counted(int(events[text]), 'event')}, where "
            f"half of the customers have {usual:,.0f} or fewer. Such an id is often shared, a test, or a machine.",
            "Find out whose it is. If it is no customer, leave its rows out of the source.",
            f"It is “{text}”.",
        )


def _cut_remarks(events: pd.Series, cut: list[str]) -> Iterator[Remark]:
    yield warning(
        "cut-ids",
        IDS,
        f"A spreadsheet has shortened ids to numbers such as “{_most_frequent(events, cut)}”: "
        f"{counted(int(events[cut].sum()), 'event')} ({percent(events[cut].sum() / events.sum())}) lie on "
        f"{counted(len(cut), 'id')} of this kind, and different customers may now have the same one.",
        _AS_TEXT,
    )


def _rounded(events: pd.Series) -> Iterator[Remark]:
    """Long ids of digits that all end in zeros, or that all are numbers which a float holds: others would not."""
    whole = pd.Series(events.index, index=events.index, dtype=object)
    long = whole[whole.str.isdecimal() & (whole.str.len() >= _LONG)]
    is_short = (long.str.len() > _KEPT_DIGITS) & (long.str[_KEPT_DIGITS:].str.strip("0") == "")
    is_cut = long.str.endswith(_ZEROS) | is_short
    huge = long[long.str.len() > _KEPT_DIGITS + 1]
    is_float = huge.map(lambda text: int(text) > 8 * _EXACT and int(float(text)) == int(text)).astype(bool)
    by_zeros = len(long) > 0 and 2 * events[long.index[is_cut]].sum() > events[long.index].sum()
    by_float = len(huge) >= 10 and is_float.mean() > 0.9
    if by_zeros or by_float:
        rounded = list(long.index[is_cut] if by_zeros else huge.index[is_float])
        yield warning(
            "cut-ids",
            IDS,
            f"{counted(len(rounded), 'long id')} with {counted(int(events[rounded].sum()), 'event')} look rounded: a "
            "program took ids for numbers and kept their first digits only. Different customers may now have the same "
            "id.",
            _AS_TEXT,
            f"For example, “{_most_frequent(events, rounded)}”.",
        )


def _split(events: pd.Series) -> Iterator[Remark]:
    groups = same_forms(events.index)
    if groups:
        ids = [text for group in groups.values() for text in group]
        first = next(iter(groups.values()))
        yield warning(
            "split-ids",
            IDS,
            f"{counted(len(ids), 'id')} differ from another only in blanks, case, width or zeros, and stand for "
            f"{counted(len(groups), 'customer')} if these are the same. They have "
            f"{counted(int(events[ids].sum()), 'event')}.",
            "Write each id in one way before reading: without blanks, in one case, as text.",
            f"For example, {listed([f'“{text}”' for text in first[:3]])}.",
        )


def customers_that_differ(log: EventLog, ids: pd.Index) -> Iterator[Remark]:
    """Customers of the log, `ids`, whom the customers' table lacks, and the reverse."""
    table = log.customers
    if not len(table.columns):
        return
    lacking = ids[table.reindex(ids).isna().all(axis=1).to_numpy()]
    unused = pd.Index([]) if log.n_left_out else table.index.difference(ids)
    forms = {form_of(str(text)): text for text in unused}
    near = {text: forms[form] for text in lacking if (form := form_of(text)) in forms}
    is_large = len(lacking) >= _FEW * len(ids) or len(unused) >= _MANY * len(table)
    if not near and not (is_large and len(lacking) + len(unused)):
        return
    parts = [f"{counted(len(lacking), 'customer')} of {len(ids):,} have no attributes there"] if len(lacking) else []
    parts += [f"{counted(len(unused), 'row')} of it have no event"] if len(unused) else []
    alike = f" {counted(len(near), 'id')} differ only in blanks, case, width or zeros." if near else ""
    example = next(((f"“{ours}” in the log is “{theirs}” in the table",) for ours, theirs in near.items()), ())
    example = example or ((f"“{lacking[0]}” is not in the table",) if len(lacking) else ())
    yield warning(
        "customers-differ",
        TABLE,
        f"The customers’ table and the log differ: {listed(parts)}.{alike}",
        "Write the ids alike in both." if near else _CHECK_BOTH,
        f"For example, {example[0]}." if example else "",
    )


def _most_frequent(events: pd.Series, ids: list[str]) -> str:
    return str(events[ids].sort_values(ascending=False, kind="stable").index[0])
