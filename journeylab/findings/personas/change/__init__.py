"""Change: what became of the personas since the last sprint, at a fixed definition and by the customers of both?"""

from journeylab.findings.personas.change.change import PersonaChange
from journeylab.findings.personas.change.estimate import compare_personas, continue_ids, share_ids

__all__ = ["PersonaChange", "compare_personas", "continue_ids", "share_ids"]
