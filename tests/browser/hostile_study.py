"""A study in which everything that comes from customers, or from whoever wrote the journey, tries to be more than text.

The customers are simulated; what differs are the names and texts.
"""

from pathlib import Path

import pandas as pd
import yaml

from journeylab.events.simulate import simulate_log

SCRIPT = "<script>document.title='taken'</script>"
PICTURE = '"><img src=x onerror="document.title=\'taken\'">'
FORMULA = '=HYPERLINK("http://example.com","x")'
BIDI = "\u202egnp.exe\u2066"
EMOJI = "🧨👩‍👩‍👧"
LONG = "word" * 2_500
STYLE = "</style></title></textarea><b onmouseover=alert(1)>"
HOSTILE = {"event": SCRIPT, "channel": PICTURE, "reason": STYLE, "role": "'; DROP TABLE customers; --", "topic": BIDI}


def write_hostile(folder: Path, *, customers: int, seed: int, more: pd.DataFrame | None = None) -> None:
    """Write the study to `folder`: study.yml, journey.yml and data; `more` are further rows of events."""
    simulation = simulate_log(customers, seed=seed)
    events = simulation.log.events.execute().drop(columns=["seq"])
    for column, suffix in HOSTILE.items():
        events[column] = events[column].map(lambda value, suffix=suffix: f"{value}{suffix}", na_action="ignore")
    events["customer_id"] = [_renamed(each) for each in events["customer_id"]]
    texts = [LONG, FORMULA + BIDI, SCRIPT + EMOJI, PICTURE]
    written = events["event"].str.startswith("survey_answered")
    events.loc[written, "text"] = [texts[place % 4] for place in range(int(written.sum()))]
    (folder / "data" / "raw").mkdir(parents=True)
    pd.concat([events, more]).to_parquet(folder / "data" / "raw" / "events.parquet", index=False)
    attributes = simulation.log.customers.rename(index=_renamed)
    attributes["plan"] = attributes["plan"].map(lambda value: value + SCRIPT, na_action="ignore")
    attributes["industry"] = attributes["industry"].map(lambda value: FORMULA + value, na_action="ignore")
    attributes.to_csv(folder / "data" / "raw" / "customers.csv", index_label="customer_id")
    (folder / "journey.yml").write_text(_journey(simulation.journey), encoding="utf-8")
    (folder / "study.yml").write_text(yaml.safe_dump(STUDY, allow_unicode=True), encoding="utf-8")


STUDY = {
    "study": f"Hostile {SCRIPT}{BIDI}",
    "journey": "journey.yml",
    "events": [
        {
            "path": "data/raw/events.parquet",
            "columns": {"customer_id": "customer_id", "time": "time", "event": "event"},
        }
    ],
    "customers": {"path": "data/raw/customers.csv", "key": "customer_id"},
    "window": {"start": "2024-01-01", "end": "2026-01-01"},
    "personas": {"within": "30d", "seed": 7},
    "horizons": ["30d", "90d"],
    "notes": f"Read this. {SCRIPT} {PICTURE}",
}


def _renamed(customer: str) -> str:
    return f"=cmd|{customer}<svg onload=alert(1)>"


def _journey(journey) -> str:
    """The simulated journey with hostile names, in the words of journey.yml."""
    said = journey.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    for stage in said["stages"]:
        stage |= {"name": stage["name"] + EMOJI, "label": stage["name"] + SCRIPT, "goal": PICTURE}
    for branch in said["loss_branches"]:
        branch |= {"name": branch["name"] + FORMULA, "label": STYLE + branch["name"]}
    said |= {"journeylab": 1, "name": f"Journey {SCRIPT}", "goal": f"{STYLE}{BIDI}{EMOJI}"}
    return yaml.safe_dump(_named(said), allow_unicode=True, sort_keys=False)


def _named(said):
    """Conditions with the events and reasons that the hostile log has."""
    if isinstance(said, list):
        return [_named(each) for each in said]
    if not isinstance(said, dict):
        return said
    made = {key: _named(value) for key, value in said.items()}
    for key in ("event", "reason"):
        if key in made:
            several = made[key] if isinstance(made[key], list) else [made[key]]
            made[key] = [f"{each}{HOSTILE[key]}" for each in several]
    return made
