"""Who proves what a stage is about, how soon, and what becomes of those who do not."""

from journeylab.findings.validation.estimate import estimate_validation
from journeylab.findings.validation.validation import Validation

__all__ = ["Validation", "estimate_validation"]
