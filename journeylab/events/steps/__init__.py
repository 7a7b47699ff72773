"""Steps: how far did each customer's attempts get through a funnel, how soon, and how did they end?"""

from journeylab.events.steps.attempts import Attempts, find_attempts
from journeylab.events.steps.rules import Exclusion, Step, StepRules, read_rules, stage_steps

__all__ = ["Attempts", "Exclusion", "Step", "StepRules", "find_attempts", "read_rules", "stage_steps"]
