"""Steps: how far did each customer's attempts get through a funnel, how soon, and how did they end?"""

from journeylab.events.steps.attempts import Attempts, find_attempts
from journeylab.events.steps.rules import Exclusion, Step, StepRules, build_steps, read_rules

__all__ = ["Attempts", "Exclusion", "Step", "StepRules", "build_steps", "find_attempts", "read_rules"]
