"""Cards: what is known of each persona, on one card, with how sure it is and what is not known?"""

from journeylab.findings.personas.cards.build import Material, build_cards
from journeylab.findings.personas.cards.card import CardPart, Cards, PersonaCard
from journeylab.findings.personas.measures import generated_name

__all__ = ["CardPart", "Cards", "Material", "PersonaCard", "build_cards", "generated_name"]
