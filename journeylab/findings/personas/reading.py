"""Which personas did an earlier session, or the last sprint, write to a file?"""

from dataclasses import fields
from pathlib import Path

from journeylab.base.errors import StudyError
from journeylab.events.log import Window
from journeylab.findings.personas.file import read_fields
from journeylab.findings.personas.personas import Personas


def read_personas(path: str | Path, *, period: Window | None = None) -> Personas:
    """The personas that `Personas.write` wrote to `path`: the same labels, tables and model, to the last digit.

    The file is data: nothing in it is run. Where its customers were left out, `labels` and the like are empty; the
    personas still describe, and assign further customers. `period` is the window of the log that they were found in,
    where that is known: the file does not hold it. Raises StudyError where there is no such file, it is no JSON,
    holds something else, was written in another version of the format, was changed after it was written, or does not
    fit together.
    """
    found = read_fields(path)
    wanted = {each.name for each in fields(Personas)} - {"period"}
    missing, strange = sorted(wanted - set(found)), sorted(set(found) - wanted)
    if missing or strange:
        what = f"“{missing[0]}” is not there" if missing else f"“{strange[0]}” is not known"
        raise StudyError(
            f"“{Path(path).name}” holds no sound personas: {what}. It was written by another journeylab: find the "
            "personas again."
        )
    return Personas(**found, period=period)
