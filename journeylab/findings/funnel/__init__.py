"""Funnel: of those who enter, how many reach each step in time, how soon, and what becomes of the others?"""

from journeylab.findings.funnel.estimate import estimate_funnel
from journeylab.findings.funnel.funnel import Funnel

__all__ = ["Funnel", "estimate_funnel"]
