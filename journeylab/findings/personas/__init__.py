"""Personas: which few kinds of customer do the logs show, by what they did at first, and what sets each apart?"""

from journeylab.findings.personas.assign import Assignment
from journeylab.findings.personas.cards import Cards, PersonaCard
from journeylab.findings.personas.personas import Personas
from journeylab.findings.personas.reading import read_personas
from journeylab.findings.personas.search import find_personas

__all__ = ["Assignment", "Cards", "PersonaCard", "Personas", "find_personas", "read_personas"]
