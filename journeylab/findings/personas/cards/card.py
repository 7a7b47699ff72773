"""One persona on one card: how many, what sets them apart, what becomes of them, and what we do not know."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.findings.personas.cards.course import EVERYONE
from journeylab.findings.personas.notes import EVIDENCE, NOTE, no_notes
from journeylab.findings.quotes import Quotes

NO_CARD = "There is no persona, so there is no card."
NOTHING_APART = "Nothing sets it apart by more than a negligible difference."
_APART = {
    "feature": "feature",
    "inside": "here",
    "others": "others",
    "delta": "delta",
    "n": "n",
    "n_others": "n others",
}
_STAYING = ["persona", "days", "estimate", "lower", "upper", "at_risk"]


@dataclass(frozen=True)
class CardPart:
    """One part of a card: a sentence or two, and the table they were read from, which may be empty.

    is_told: whether the data could tell; if not, the sentence says what is lacking. shown: what of the table the card
    shows, in words; None: nothing.
    """

    title: str
    sentence: str
    table: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    is_told: bool = True
    shown: pd.DataFrame | None = field(default=None, repr=False)

    def _repr_html_(self) -> str:
        table = "" if self.shown is None or self.shown.empty else html.table(self.shown, csv=False)
        return html.heading(self.title) + html.paragraph(self.sentence) + table


@dataclass(frozen=True)
class PersonaCard:
    """A card of one persona.

    persona: the id, as “P1”; it does not change with the name. name: made from what sets the persona apart, or given.
    n, customers: customers of the persona, and all that were judged; share with its 95% interval `lower` to `upper`
    (Wilson).
    certainty: mean probability of this persona among its customers. verdict: what is proven.
    apart: DataFrame of what sets it apart: `feature`, `inside`, `others`, `lift`, `delta` (Cliff's), `n`, `n_others`.
    rule: the plain rule that tells it, if one does. exemplar: a typical customer, rounded.
    path, stages, losses: the typical journey, time and losses by stage, and loss branches from the landmark on.
    staying: DataFrame `persona` (this one and everyone), `days` since the landmark, `estimate` (share neither lost nor
        completed) with `lower`, `upper`, `at_risk`; empty where no spells were given.
    channels, roles, accounts: where they meet us, which roles their accounts show, which personas share an account.
    quotes: what some of them wrote, redacted; None where no log was given.
    notes: DataFrame `kind` (note, evidence), `text`, `source`, `date`, from personas.yml.
    unknown: what we do not know.
    """

    persona: str
    name: str
    n: int
    customers: int
    share: float
    lower: float
    upper: float
    certainty: float
    apart: pd.DataFrame = field(repr=False)
    verdict: str
    rule: CardPart
    exemplar: CardPart
    path: CardPart
    stages: CardPart
    losses: CardPart
    channels: CardPart
    roles: CardPart
    accounts: CardPart | None = None
    staying: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_STAYING), repr=False)
    quotes: Quotes | None = None
    notes: pd.DataFrame = field(default_factory=no_notes, repr=False)
    unknown: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Id and name."""
        return f"{self.persona} · {self.name}"

    @property
    def parts(self) -> tuple[CardPart, ...]:
        """All parts, in the order shown."""
        parts = (
            self.rule,
            self.exemplar,
            self.path,
            self.stages,
            self.losses,
            self.channels,
            self.roles,
            self.accounts,
        )
        return tuple(part for part in parts if part is not None)

    def sentence(self) -> str:
        """Share with interval and base, certainty, verdict."""
        return (
            f"{self.title}: {self.share:.0%} of {self.customers:,} customers ({self.lower:.0%} to {self.upper:.0%}). "
            f"On average its {self.n:,} customers belong to it with probability {self.certainty:.2f}. "
            f"Verdict: {self.verdict}."
        )

    def evidence(self) -> list[str]:
        """Notes and evidence as sentences: “Interview with a planner, 2026-03-02: Plans for forty people”."""
        told = []
        for row in self.notes.itertuples(index=False):
            if row.kind == NOTE:
                told.append(row.text)
            elif row.kind == EVIDENCE:
                told.append(f"Evidence: {row.source}, {row.date}" + (f": {row.text}" if row.text else ""))
        return told

    def plot(self) -> Chart:
        """Share, what sets it apart, and who stays from the landmark on, side by side."""
        return plot_cards((self,))

    def _repr_html_(self) -> str:
        return html.card(
            self.title,
            html.paragraph(self.sentence().removeprefix(f"{self.title}: ")),
            *(html.paragraph(each) for each in self.evidence()),
            self._apart_html(),
            *(part._repr_html_() for part in self.parts),
            html.heading("In their words") + self.quotes._repr_html_() if self.quotes else "",
            html.heading("What we do not know") + html.listing(self.unknown),
        )

    def _apart_html(self) -> str:
        told = self.apart.rename(columns=_APART)
        if not len(told):
            return html.paragraph(NOTHING_APART)
        return html.table(
            told[list(_APART.values())],
            caption="What sets it apart: medians of numbers, mean shares, and Cliff's delta, from -1 to 1",
            csv=False,
        )


@dataclass(frozen=True)
class Cards:
    """The cards of all personas, the largest persona first; where there is none, what is shown says so.

    withheld: DataFrame `persona`, `reason`: the personas that are too small for a card.
    """

    cards: tuple[PersonaCard, ...]
    withheld: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["persona", "reason"], dtype=object))

    def __iter__(self) -> Iterator[PersonaCard]:
        return iter(self.cards)

    def __len__(self) -> int:
        return len(self.cards)

    def __getitem__(self, persona: int | str) -> PersonaCard:
        """The card at a place, or of a persona by its id."""
        if isinstance(persona, str):
            return {card.persona: card for card in self.cards}[persona]
        return self.cards[persona]

    def plot(self) -> Chart:
        """All cards as one figure, a row for each persona; see `PersonaCard.plot`."""
        return plot_cards(self.cards) if self.cards else charts.note(self._nothing, title="Personas")

    def __repr__(self) -> str:
        return "\n".join([*(card.sentence() for card in self.cards), *self._withheld]) or NO_CARD

    def _repr_html_(self) -> str:
        shown = [card._repr_html_() for card in self.cards] + [html.paragraph(each) for each in self._withheld]
        return "".join(shown) or html.paragraph(NO_CARD)

    @property
    def _withheld(self) -> list[str]:
        return [f"{row.persona} has no card: {row.reason}." for row in self.withheld.itertuples(index=False)]

    @property
    def _nothing(self) -> str:
        return " ".join(self._withheld) or NO_CARD


def plot_cards(cards: tuple[PersonaCard, ...]) -> Chart:
    """A row for each card: what sets the persona apart, and who stays from the landmark on, under its share."""
    heads = {card.persona: f"{card.title}: {card.share:.0%} ({card.lower:.0%} to {card.upper:.0%})" for card in cards}
    bars = [card.apart.assign(row=card.persona) for card in cards]
    curves = [card.staying.assign(row=card.persona) for card in cards]
    return charts.profiles(
        heads,
        bars=pd.concat(bars)[["row", "feature", "delta"]].rename(columns={"feature": "label", "delta": "value"}),
        curves=pd.concat(curves).rename(columns={"persona": "line", "days": "x"}),
        faint=EVERYONE,
        bars_label="Cliff’s delta to the others",
        curves_label="neither lost nor completed, by days since the landmark",
        title="Personas: share, what sets them apart, and who stays",
        alt=" ".join(_alt(card) for card in cards),
    )


def _alt(card: PersonaCard) -> str:
    apart = ", ".join(f"{row.feature} {row.delta:+.2f}" for row in card.apart.head(3).itertuples())
    told = f" What sets it apart (Cliff's delta): {apart}." if apart else f" {NOTHING_APART}"
    share = f"{card.title}: {card.share:.0%} of {card.customers:,} customers ({card.lower:.0%} to {card.upper:.0%})."
    return f"{share}{told}" + (f" {card.losses.sentence}" if card.losses.is_told else "")
