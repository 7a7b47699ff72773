"""Personas: which few kinds of customer do the logs show, by what they did at first, and what sets each apart?"""

from journeylab.findings.personas.assign import Assignment
from journeylab.findings.personas.cards import Cards, PersonaCard
from journeylab.findings.personas.estimate import find_personas, read_personas
from journeylab.findings.personas.personas import Personas

__all__ = ["Assignment", "Cards", "PersonaCard", "Personas", "find_personas", "read_personas"]
