"""Lanes: which rows has the map, in which order, and which lanes of which findings stand in them?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

DATA, SURVEY, INTERVIEW, ASSUMPTION = EVIDENCE = ("data", "survey", "interview", "assumption")
NO_EVIDENCE = "none"
NOT_MEASURED = "not measured"
EMOTIONS, LOSSES, QUOTED = "emotions", "losses", ("thoughts",)


@dataclass(frozen=True)
class Lane:
    """A row of the map.

    name: in the table, and what notes are filed under. title: as shown. takes: the lanes of findings (`by_stage`) that
    stand in it, each with the words that lead it here. evidence: on what those rest.
    """

    name: str
    title: str
    takes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    evidence: str = DATA


LANES = (
    Lane("stage", "Stage", {"time in stage": "Time inside", "mean time": "Mean time",
                            "ever reached": "Ever reached"}),
    Lane("trigger", "Trigger and proof", {"trigger seen": "Trigger seen", "validated": "Proven",
                                          "CRM agreement": "CRM agrees"}),
    Lane("goal", "Customer’s goal"),
    Lane("actions", "Actions", {"actions": ""}),
    Lane("touchpoints", "Touchpoints and channels", {"touchpoints": ""}),
    Lane("initiator", "Reactive : proactive", {"reactive : proactive": ""}),
    Lane("moments", "Moments that matter", {"moments": ""}),
    Lane("thoughts", "Thoughts", {"thoughts": ""}),
    Lane(EMOTIONS, "Emotions", {"emotions": ""}, SURVEY),
    Lane("pain points", "Pain points", {"themes": "", "pain points": "", "before a loss": "Before a loss"}),
    Lane("moves", "Forward, skip, back", {"forward": "Forward", "skip": "Skip", "back": "Back",
                                          "still inside": "Still inside"}),
    Lane(LOSSES, "Ways of being lost", {"lost": "By any branch", "main branch": "Mostly", "declared losses": "Declared",
                                        "lost by silence window": "Silence", "back after loss": "Back after a loss",
                                        "back after silence": "Back after silence"}),
    Lane("roles", "Roles", {"roles": ""}),
    Lane("value", "Value", {"value": ""}),
    Lane("owner", "Owner"),
    Lane("opportunities", "Opportunities"),
    Lane("assumptions", "Assumptions"),
)  # fmt: skip
# Other lanes of findings follow these, each as a row of its own.
TAKEN = {each: lane for lane in LANES for each in lane.takes}
