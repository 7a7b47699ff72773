"""One persona on one card: how many, what sets them apart, what becomes of them, and what we do not know."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.tables import table_of
from journeylab.base.words import percent
from journeylab.findings.personas.cards.course import EVERYONE, STAYING
from journeylab.findings.personas.measures import NUMBER
from journeylab.findings.personas.notes import NOTE, NOTES
from journeylab.findings.quotes import Quotes

NO_PERSONA = "There is no persona, so there is no card."
ONE_KIND = "One kind of customer was seen, so there is no card: nobody is there to compare them with."
NOTHING_APART = "Nothing sets it apart by more than a negligible difference."
LOSSES = "How they are lost"
_WITH_CARDS = (
    "A card describes what customers do. Why they do it is a question for interviews: take each card to three of its "
    "customers, and write what they say, with source and date, into `personas.yml`.",
    "Names say what sets a persona apart. Write better ones into `personas.yml`; the id stays.",
)
_WITHOUT_CARDS = (
    "Without kinds of customer there is nothing to compare by persona. Other groups, such as plan or channel, can "
    "still be compared (`by=`).",
    "Longer first days (`within`) or more customers may show kinds that these do not.",
)
WITHHELD = {"persona": object, "reason": object}
WORKING_NAME = "This is a working name; personas.yml takes a better one."


@dataclass(frozen=True)
class CardPart:
    """One part of a card: a sentence or two, and the table they were read from, which may be empty.

    has_data: whether the data have the answer; if not, the sentence says what is lacking. shown: what of the table the
    card shows, in words; None: nothing.
    """

    title: str
    sentence: str
    table: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    has_data: bool = True
    shown: pd.DataFrame | None = field(default=None, repr=False)

    def _repr_html_(self) -> str:
        table = "" if self.shown is None or self.shown.empty else html.table(self.shown, csv=False)
        return html.heading(self.title) + html.paragraph(self.sentence) + table


@dataclass(frozen=True)
class CardHead:
    """Who a card is of: the persona's row of `Personas.table`, its verdict, and whether nobody has named it yet."""

    persona: str
    name: str
    n: int
    customers: int
    share: float
    lower: float
    upper: float
    certainty: float
    verdict: str
    has_working_name: bool = False


@dataclass(frozen=True)
class PersonaCard:
    """A card of one persona.

    Attributes
    ----------
    head : CardHead
        `persona`, the id, which does not change with the `name`; `n` of the `customers` judged are of the persona, a
        `share` with its 95% interval `lower`, `upper` (Wilson); `certainty`, mean probability of the persona among
        them; `verdict`, what is proven; `has_working_name`, whether nobody has named it yet.
    apart : DataFrame
        What sets it apart: `feature`, `inside`, `others`, `lift`, `delta` (Cliff's), `n`, `n_others`.
    parts : tuple of CardPart
        In the order shown: its rule, an example, the typical journey, time and losses by stage, losses by branch,
        channels, roles, and, where several customers share an account, accounts. See `part`.
    staying : DataFrame
        `persona` (this one and everyone), `days` since the landmark, `estimate` (share neither lost nor completed) with
        `lower`, `upper`, `at_risk`; empty where no spells were given.
    quotes : Quotes or None
        What some of them wrote, redacted; None where no log was given, or it has no texts.
    notes : DataFrame
        `kind` (note, evidence), `text`, `source`, `date`, from personas.yml.
    """

    head: CardHead
    apart: pd.DataFrame = field(repr=False)
    parts: tuple[CardPart, ...]
    staying: pd.DataFrame = field(default_factory=partial(table_of, (), STAYING), repr=False)
    quotes: Quotes | None = None
    notes: pd.DataFrame = field(default_factory=partial(table_of, (), NOTES), repr=False)

    @property
    def persona(self) -> str:
        """The id."""
        return self.head.persona

    @property
    def title(self) -> str:
        """Id and name."""
        return f"{self.persona} · {self.head.name}"

    @property
    def share_in_words(self) -> str:
        """As “60% of 100 customers (50% to 69%)”."""
        head = self.head
        return f"{head.share:.0%} of {head.customers:,} customers ({head.lower:.0%} to {head.upper:.0%})"

    def part(self, title: str) -> CardPart | None:
        """The part with that title, as “Roles”; None where the card has none."""
        return next((part for part in self.parts if part.title == title), None)

    def sentence(self) -> str:
        """Share with interval and base, certainty, verdict."""
        return (
            f"{self.title}: {self.share_in_words}. On average its {self.head.n:,} customers belong to it with "
            f"probability {self.head.certainty:.2f}. Verdict: {self.head.verdict}."
        )

    def evidence(self) -> list[str]:
        """Notes and evidence as sentences: “Interview with a planner, 2026-03-02: Plans for forty people”."""
        return [
            row.text
            if row.kind == NOTE
            else f"Evidence: {row.source}, {row.date}" + (f": {row.text}" if row.text else "")
            for row in self.notes.itertuples(index=False)
        ]

    def plot(self) -> Chart:
        """Share, what sets it apart, and who stays from the landmark on, side by side."""
        return plot_cards((self,))

    def _repr_html_(self) -> str:
        return html.card(
            self.title,
            html.paragraph(self.sentence().removeprefix(f"{self.title}: ")),
            html.paragraph(WORKING_NAME) if self.head.has_working_name else "",
            *(html.paragraph(line) for line in self.evidence()),
            self._apart_html(),
            *(part._repr_html_() for part in self.parts),
            html.heading("In their words") + self.quotes._repr_html_() if self.quotes else "",
        )

    def _apart_html(self) -> str:
        if self.apart.empty:
            return html.paragraph(NOTHING_APART)
        shown = {
            "feature": self.apart["feature"].str.replace("_", " "),
            "here": [_amount(row.inside, row.kind) for row in self.apart.itertuples()],
            "others": [_amount(row.others, row.kind) for row in self.apart.itertuples()],
            "n": self.apart["n"],
            "n others": self.apart["n_others"],
        }
        caption = "What sets it apart: medians of numbers, and mean shares"
        return html.table(pd.DataFrame(shown), caption=caption, csv=False)


def _amount(amount: float, kind: str) -> str:
    return f"{amount:,.3g}" if kind == NUMBER else percent(amount)


@dataclass(frozen=True)
class Cards:
    """The cards of all personas, the largest persona first; where there is none, what is shown says so.

    withheld: DataFrame `persona`, `reason`: the personas that are too small for a card.
    unknown: what none of the cards says.
    lacking: why there is no card of any persona.
    """

    cards: tuple[PersonaCard, ...]
    withheld: pd.DataFrame = field(default_factory=partial(table_of, (), WITHHELD))
    unknown: tuple[str, ...] = ()
    lacking: str = NO_PERSONA

    def __iter__(self) -> Iterator[PersonaCard]:
        return iter(self.cards)

    def __len__(self) -> int:
        return len(self.cards)

    def __getitem__(self, persona: int | str) -> PersonaCard:
        """The card of a persona by its id, or by its position."""
        return {card.persona: card for card in self.cards}[persona] if isinstance(persona, str) else self.cards[persona]

    def plot(self) -> Chart:
        """All cards as one figure, a row for each persona; see `PersonaCard.plot`."""
        if not self.cards:
            return charts.note(" ".join(self._withheld) or self.lacking, title="Personas")
        return plot_cards(self.cards)

    def advice(self) -> str:
        """What to do with the cards, as a list in Markdown; where there is none, what to try for there to be one."""
        return "\n".join(f"- {line}" for line in (_WITH_CARDS if self.cards else _WITHOUT_CARDS))

    def __repr__(self) -> str:
        return "\n".join([*(card.sentence() for card in self.cards), *self._withheld]) or self.lacking

    def _repr_html_(self) -> str:
        parts = [card._repr_html_() for card in self.cards] + [html.paragraph(line) for line in self._withheld]
        if self.cards:
            parts.append(html.card("What we do not know", html.listing(self.unknown)))
        return "".join(parts) or html.paragraph(self.lacking)

    @property
    def _withheld(self) -> list[str]:
        return [f"{row.persona} has no card: {row.reason}." for row in self.withheld.itertuples(index=False)]


def plot_cards(cards: tuple[PersonaCard, ...]) -> Chart:
    """A row for each card: what sets the persona apart, and who stays from the landmark on, under its share."""
    headings = {
        card.persona: f"{card.title}: {card.head.share:.0%} ({card.head.lower:.0%} to {card.head.upper:.0%})"
        for card in cards
    }
    bars = [card.apart.assign(row=card.persona, feature=card.apart["feature"].str.replace("_", " ")) for card in cards]
    curves = [card.staying.assign(row=card.persona) for card in cards]
    return charts.profiles(
        headings,
        bars=pd.concat(bars)[["row", "feature", "delta"]].rename(columns={"feature": "label", "delta": "value"}),
        curves=pd.concat(curves).rename(columns={"persona": "line", "days": "x"}),
        faint=EVERYONE,
        bars_label="Cliff’s delta to the others",
        curves_label="neither lost nor completed, by days since the landmark",
        title="Personas: share, what sets them apart, and who stays",
        alt=" ".join(_alt(card) for card in cards),
    )


def _alt(card: PersonaCard) -> str:
    apart = ", ".join(f"{row.feature.replace('_', ' ')} {row.delta:+.2f}" for row in card.apart.head(3).itertuples())
    apart = f"What sets it apart (Cliff's delta): {apart}." if apart else NOTHING_APART
    losses = card.part(LOSSES)
    lost = f" {losses.sentence}" if losses and losses.has_data else ""
    return f"{card.title}: {card.share_in_words}. {apart}{lost}"
