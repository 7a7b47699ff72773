"""Sentences: what the tables of drop-off say, in sentences with number, interval and base."""

from collections.abc import Mapping, Sequence

import pandas as pd

from journeylab.base.ordering import largest, settled
from journeylab.base.suppression import MIN_SHOWN, shown_count
from journeylab.base.words import counted, in_days, listed, percent, with_sign
from journeylab.findings.dropoff.differences import LOST
from journeylab.findings.exit_curves import NO_BRANCH
from journeylab.findings.finding import share_in_words

LEVEL = 0.05
# So many places that may come first as well, or that have no estimate, are named.
MOST_NAMED = 2


def point_of(row: pd.Series, by: str | None) -> str:
    """Where: “paid” to “price” among customers with plan “large”."""
    branch = "" if row["branch"] == LOST else f" to “{row['branch']}”"
    group = f" among customers with {by} “{row['group']}”" if by else ""
    return f"“{row['stage']}”{branch}{group}"


def exit_of(row: pd.Series, by: str | None) -> str:
    """What takes customers where: “price” in “paid” among customers with plan “large”."""
    group = f" among customers with {by} “{row['group']}”" if by else ""
    branch = "" if row["branch"] == LOST else f"“{row['branch']}” in "
    return f"{branch}“{row['stage']}”{group}"


def most_lost(table: pd.DataFrame, *, by: str | None, confidence: float, noun: str) -> str:
    """The first row of a ranking of visits; and, before the first that has an estimate, those that have none."""
    if table.empty:
        return NO_BRANCH
    known = table[table["estimate"].notna()]
    is_before = table["estimate"].notna().cumsum() == 0
    is_many = (table["at_least"] >= MIN_SHOWN) & (table["customers_seen"] >= MIN_SHOWN)
    unknown = table[is_before & is_many].head(MOST_NAMED)
    if known.empty and unknown.empty:
        return f"How many are lost cannot be estimated yet: {table['note'].iloc[0]}."
    entering = f"within {in_days(table['horizon_days'].iloc[0])} of {'first ' * (noun == 'customer')}entering"
    parts = [_certainly_lost(row, entering, by=by, noun=noun) for _, row in unknown.iterrows()]
    if len(known) and known["estimate"].iloc[0] > 0:
        worst = known.iloc[0]
        interval = f"{confidence:.0%} interval {percent(worst['share_lower'])} to {percent(worst['share_upper'])}"
        is_lost = f"{'is' if worst['n'] == 1 else 'are'} lost to it {entering}"
        given = f" ({worst['note']})" if worst["note"] else ""
        n_lost = ""
        if noun == "visit" and pd.notna(worst["customers_lost"]):
            n_lost = f", by about {counted(round(worst['customers_lost']), 'different customer')}"
        parts.append(
            f"The largest single exit{' with an estimate' if parts else ''} is {exit_of(worst, by)}: "
            f"{percent(worst['share'])} of {counted(worst['n'], noun)} ({interval}) {is_lost}{given}, about "
            f"{counted(round(worst['estimate']), noun)} ({worst['lower']:,.0f} to {worst['upper']:,.0f}){n_lost}."
        )
    return " ".join(parts) or f"No customer was lost {entering} in any stage where that can be estimated."


def _certainly_lost(row: pd.Series, entering: str, *, by: str | None, noun: str) -> str:
    return (
        f"At least {row['at_least']:,.0f} of {counted(row['n'], noun)} are lost to {exit_of(row, by)} {entering}; how "
        f"many cannot be estimated yet: {row['note']}."
    )


def decided_by_company(rows: pd.DataFrame, *, by: str | None, noun: str) -> str:
    """The largest of the exits that the company decides; empty where there is none."""
    if rows.empty:
        return ""
    row = rows.iloc[0]
    share = share_in_words(row, base=counted(int(row["n"]), noun))
    return f"Ranked apart, as the company itself decides it: {exit_of(row, by)}, {share}."


def first_places(firsts: Mapping[float, pd.Series], *, by: str | None) -> str:
    """Which exit is largest at which horizon, if that is not the same one at all; else empty."""
    days: dict[str, list[str]] = {}
    for day, row in firsts.items():
        days.setdefault(exit_of(row, by), []).append(f"{day:,g}")
    if len(days) < 2:
        return ""
    parts = [f"within {listed(horizons)} days {name}" for name, horizons in days.items()]
    return f"Which exit is largest depends on the horizon: {', '.join(parts)}."


def most_value(table: pd.DataFrame, *, by: str | None, value: str) -> str:
    """The first row of a ranking of value; empty where nothing of value is lost."""
    if table.empty or not table["estimate"].iloc[0] > 0:
        return ""
    worst = table.iloc[0]
    return (
        f"By {value}, most is lost in {point_of(worst, by)}: about {worst['estimate']:,.0f} of {worst['total']:,.0f} "
        f"({worst['lower']:,.0f} to {worst['upper']:,.0f}; {counted(worst['n'], 'visit')} of "
        f"{counted(worst['customers'], 'customer')})."
    )


def stability(table: pd.DataFrame, *, by: str | None) -> str:
    """How sure the first place of a ranking is."""
    lost = table[table["estimate"].fillna(table["at_least"]) > 0]
    if len(lost) < 2:
        return "Customers are lost in fewer than two places, so there is no order to be sure of."
    first, others = lost.iloc[0], lost.iloc[1:]
    within = f"within {in_days(first['horizon_days'])}"
    if first["rank_upper"] == 1:
        return f"{exit_of(first, by)} comes first {within}, also when all places are compared at once."
    rivals = others[others["rank_lower"] == 1]
    rivals = (others if rivals.empty else rivals).head(MOST_NAMED)
    names = listed([f"{exit_of(row, by)} ({_ranks(row)})" for _, row in rivals.iterrows()])
    return (
        f"{exit_of(first, by)} has the most losses {within} ({_ranks(first)} when all places are compared at once), "
        f"but cannot be told from {names}."
    )


def difference(table: pd.DataFrame, *, by: str, confidence: float) -> str:
    """How many differences there are after adjustment, and the largest of them."""
    tested = table[table["p_value"].notna()]
    if tested.empty:
        return f"No two groups by {by} are large enough to be compared in any stage."
    days = in_days(tested["horizon_days"].iloc[0])
    family = f"{counted(len(tested), 'difference')} in what is lost within {days} of entering, by {by}"
    how = "adjusted for their number, any loss first and then its branches"
    differ = tested[tested["p_adjusted"] < LEVEL]
    if differ.empty:
        # What was not found may be there: by how much at most, its limits say.
        row = tested.iloc[largest(tested["estimate"].abs())]
        return (
            f"Of {family}, none has a p below {LEVEL:g} ({how}). That does not say that there is none. "
            f"The largest: {_difference_of(row, confidence)}."
        )
    # Where a branch makes the difference, name the branch: it says more than all losses together.
    row = differ.iloc[largest(differ["estimate"].abs())]
    return (
        f"Of {family}, {len(differ):,} {'has' if len(differ) == 1 else 'have'} a p below {LEVEL:g} ({how}). The "
        f"largest of these: {_difference_of(row, confidence)}."
    )


def _difference_of(row: pd.Series, confidence: float) -> str:
    """One difference in a sentence; its interval stands for itself, it allows for no other."""
    to = "" if row["to"] == LOST else f" to “{row['to']}”"
    against = row["reference"] if row["reference"] == "all others" else f"“{row['reference']}”"
    given = f", {row['note']}" if row["note"] else ""
    return (
        f"“{row['group']}” is lost in “{row['stage']}”{to} by {with_sign(100 * row['estimate'])} points against "
        f"{against} ({confidence:.0%} interval {with_sign(100 * row['lower'])} to {with_sign(100 * row['upper'])}, not "
        f"adjusted; {percent(row['share'])} of {counted(row['n'], 'visit')}, {percent(row['share_reference'])} of "
        f"{row['n_reference']:,}{given})"
    )


def all_explained(only_named: Sequence[str]) -> str:
    """That every loss has a reason; or that some have one in name alone, to branches `only_named`."""
    if not only_named:
        return "Every loss branch of the journey names a reason: no loss is without a reason."
    branches = listed([f"“{name}”" for name in only_named])
    return (
        f"Every loss branch is named for a reason, but nothing in the log gives the one of {branches}: the condition "
        "asks for no reason. Ask for one with “where”, or write in journey.yml, under “reason”, how it is known."
    )


def unexplained(
    table: pd.DataFrame,
    overall: tuple[float, float, float],
    branches: Sequence[str],
    *,
    by: str | None,
    confidence: float,
    noun: str,
) -> str:
    """How much is lost without a stated reason, and where to ask first."""
    named = listed([f"“{branch}”" for branch in branches])
    known = table[table["estimate"] > 0]
    if known.empty:
        return (
            f"No customer is known to be lost without a reason (to {named}) in any stage where that can be estimated."
        )
    row = known.iloc[0]
    share, lower, upper = overall
    within = f"lost within {in_days(row['horizon_days'])} of entering a stage"
    limits = f"({confidence:.0%} interval {percent(lower)} to {percent(upper)}) "
    is_all = settled(share) == 1
    most = f"All {noun}s {within}" if is_all else f"Of all {noun}s {within}, {percent(share)} {limits}"
    return (
        f"{most.rstrip()} are lost without a stated reason (to {named}). Find out first why about "
        f"{row['estimate']:,.0f} of {counted(row['n'], noun)} "
        f"({row['lower']:,.0f} to {row['upper']:,.0f}) are lost in {point_of(row, by)}, {percent(row['of_losses'])} of "
        "all lost there."
    )


def places_of_naive(table: pd.DataFrame) -> tuple[pd.Series, pd.Series] | None:
    """The row where a plain count sees the largest share lost, and the one where the estimate does; None where one of
    them is not known."""
    counts, known = table[table["naive"].notna()], table[table["estimate"].notna()]
    if known.empty or counts.empty:
        return None
    return counts.iloc[largest(counts["naive"])], known.iloc[largest(known["estimate"])]


def counting_misleads(table: pd.DataFrame) -> bool:
    """Whether a plain count names another place than the estimate, because visits there are still going on."""
    places = places_of_naive(table)
    return places is not None and places[0].name != places[1].name and places[0]["ongoing"] != 0


def naive(table: pd.DataFrame, *, by: str | None) -> str:
    """Where a plain count would look first, and where the estimate says to look."""
    places = places_of_naive(table)
    if places is None:
        return "The naive view cannot be compared with an estimate: no stage has enough customers for both."
    wrong, right = places
    within = f"within {in_days(right['horizon_days'])} of entering"
    where = "" if table["estimate"].notna().sum() == table["naive"].notna().sum() else ", where that is possible"
    n_inside = shown_count(wrong, "ongoing")
    but = (
        "None of them is still inside, and the count includes all that happened, however late."
        if wrong["ongoing"] == 0
        else f"But {n_inside} of them {'is' if n_inside == '1' else 'are'} still inside, and not everyone was watched "
        "for equally long."
    )
    verdict = "too" if wrong.name == right.name else "instead"
    names = [point_of(row.reindex([*row.index, "branch"], fill_value=LOST), by) for row in places]
    return (
        f"Counting who moved on, the largest share seems to be lost in {names[0]}: {percent(wrong['naive'])} of "
        f"{wrong['entered']:,.0f} visits have not moved on. {but} "
        f"Estimated {within}{where}, the largest share is lost in {names[1]} {verdict}: {share_in_words(right)} of "
        f"{right['n']:,.0f} visits."
    )


def often(share: float) -> str:
    """A share of resamples, to a percent."""
    return "less than 1%" if share < 0.005 else "more than 99%" if share > 0.995 else f"{share:.0%}"


def _ranks(row: pd.Series) -> str:
    lower, upper = row["rank_lower"], row["rank_upper"]
    return f"rank {lower}" if lower == upper else f"rank {lower} to {upper}"
