"""Spells: each visit of each customer to each stage, how it ended, and what is counted from that."""

from journeylab.events.spells.spells import COLUMNS, OUTCOMES, Spells, find_spells, find_spells_under, read_spells

__all__ = ["COLUMNS", "OUTCOMES", "Spells", "find_spells", "find_spells_under", "read_spells"]
