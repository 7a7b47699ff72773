"""Cards: what is known of each persona, on one card, with how sure it is and what is not known?"""

from journeylab.findings.personas.cards.build import build_cards
from journeylab.findings.personas.cards.card import CardPart, Cards, PersonaCard

__all__ = ["CardPart", "Cards", "PersonaCard", "build_cards"]
