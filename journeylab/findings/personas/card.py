"""One persona on one card: how many, what sets them apart, how sure we are, and what we do not know."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from journeylab.base import html

# Numbers of which one has more or fewer; of all others one has higher or lower.
COUNTED = ("events", "people involved", "days between events", "active days", "company-initiated events")
NO_CARD = "There is no persona, so there is no card."
LIMITS = (
    "Whether the same persona would be found in other customers: stability has not been tested.",
    "Why these customers behave as they do: the log shows what they did, not what they wanted.",
)


@dataclass(frozen=True)
class PersonaCard:
    """A short card of one persona.

    persona: the id, as “P1”; it does not change with the name. name: made from what sets the persona apart.
    n, customers: customers of the persona, and all that were judged; share with its 95% interval `lower` to `upper`
    (Wilson).
    certainty: mean probability of this persona among its customers.
    apart: DataFrame of what sets it apart: `feature`, `inside`, `others`, `lift`, `delta` (Cliff's), `n`, `n_others`.
    verdict: what is proven. unknown: what we do not know.
    """

    persona: str
    name: str
    n: int
    customers: int
    share: float
    lower: float
    upper: float
    certainty: float
    apart: pd.DataFrame
    verdict: str
    unknown: tuple[str, ...] = LIMITS

    @property
    def title(self) -> str:
        """Id and name."""
        return f"{self.persona} · {self.name}"

    def sentence(self) -> str:
        """Share with interval and base, certainty, verdict."""
        share = f"{self.share:.0%} of {self.customers:,} customers ({self.lower:.0%} to {self.upper:.0%})"
        return (
            f"{self.title}: {share}. "
            f"On average its {self.n:,} customers belong to it with probability {self.certainty:.2f}. "
            f"{self.verdict[0].upper()}{self.verdict[1:]}."
        )

    def _repr_html_(self) -> str:
        told = self.apart.drop(columns=["persona", "kind", "family"], errors="ignore")
        apart = (
            html.table(told, caption="What sets it apart (delta: Cliff's, from -1 to 1)", csv=False)
            if len(told)
            else html.paragraph("Nothing sets it apart by more than a negligible difference.")
        )
        unknown = html.paragraph(f"What we do not know. {' '.join(self.unknown)}")
        return html.card(self.title, html.paragraph(self.sentence()), apart, unknown)


@dataclass(frozen=True)
class Cards:
    """The cards of all personas, the largest persona first; where there is none, what is shown says so."""

    cards: tuple[PersonaCard, ...]

    def __iter__(self) -> Iterator[PersonaCard]:
        return iter(self.cards)

    def __len__(self) -> int:
        return len(self.cards)

    def __getitem__(self, persona: int | str) -> PersonaCard:
        """The card at a place, or of a persona by its id."""
        if isinstance(persona, str):
            return {card.persona: card for card in self.cards}[persona]
        return self.cards[persona]

    def __repr__(self) -> str:
        return "\n".join(card.sentence() for card in self.cards) or NO_CARD

    def _repr_html_(self) -> str:
        return "".join(card._repr_html_() for card in self.cards) or html.paragraph(NO_CARD)


def generated_name(apart: pd.DataFrame) -> str:
    """A neutral name from what sets a persona apart most, of two families of features: “More chat, fewer events”."""
    if apart.empty:
        return "Like the others"
    first = apart.drop_duplicates("family").head(2)
    name = ", ".join(_part(row) for row in first.itertuples()).replace("_", " ")
    return name[0].upper() + name[1:]


def _part(row) -> str:
    """One feature in words, as “less chat”, “fewer events”, “more often plan basic”."""
    what, is_more = str(row.feature), row.delta > 0
    if row.kind == "level":
        return f"{'more' if is_more else 'less'} often {what.replace(': ', ' ')}"
    if row.kind == "number":
        more, less = ("more", "fewer") if what in COUNTED else ("higher", "lower")
        return f"{more if is_more else less} {what}"
    family, cell = what.split(": ", 1)
    told = f"{cell} after {family.removeprefix('next after ')}" if family.startswith("next after ") else cell
    return f"{'more' if is_more else 'less'} {told}"
