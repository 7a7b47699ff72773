"""Errors that say what is wrong, what was found, and how to fix it."""

import errno
import sysconfig
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from traceback import FrameSummary, extract_tb

# Code in these folders was not written by the caller of journeylab.
_INSTALLED = (str(Path(__file__).parents[1]), *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")))

_FIXES: dict[int | None, str] = {
    errno.ENOENT: "Check its name and its folder.",
    errno.ENOTDIR: "Part of its path is a file. Name another folder.",
    errno.EISDIR: "Name a file, not a folder.",
    errno.EEXIST: "Name another one, or move what is there.",
    errno.EACCES: "Ask for the right to use it, or name another folder.",
    errno.EPERM: "Ask for the right to use it, or name another folder.",
    errno.EROFS: "Nothing can be written there. Name another folder.",
    errno.ENOSPC: "Make room on the disk, then try again.",
    errno.EDQUOT: "Make room on the disk, then try again.",
    errno.ENAMETOOLONG: "Give it a shorter name.",
}


class JourneyLabError(Exception):
    """Something the caller can fix: the message says what is wrong, what was found, and how to fix it."""

    def _render_traceback_(self) -> list[str]:
        """What IPython and JupyterLab show instead of a traceback: the message, and the caller's own line that led to
        it. The caller cannot fix the lines below that one."""
        lines = [f"{type(self).__name__}: {self}"]
        frames = [frame for frame in extract_tb(self.__traceback__) if _is_callers(frame)]
        if frames:
            lines.append(f"    in line {frames[-1].lineno}: {frames[-1].line}")
        return lines


class LogError(JourneyLabError):
    """The interaction log, the customers' table or the window cannot be used."""


class JourneyError(JourneyLabError):
    """journey.yml cannot be used; the message names file and line."""


class StudyError(JourneyLabError):
    """A study folder, study.yml, or a file that it names cannot be used."""


class EstimateError(JourneyLabError):
    """A quantity cannot be estimated from these data, or the arguments contradict each other."""


class ReportError(JourneyLabError):
    """A notebook failed, or a report could not be written."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The hint after an unknown `name`: the closest of `known`, or all of them.

    >>> did_you_mean("custmer", ["customer", "event"])
    'Did you mean “customer”?'
    >>> did_you_mean("xyz", ["customer", "event"])
    'Known: customer, event.'
    """
    known = [str(word) for word in known]
    close = get_close_matches(str(name), known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean “{close[0]}”?"
    return f"Known: {', '.join(known)}." if known else "None is known."


def failed_file(problem: OSError) -> str:
    """What stopped the reading or writing of a file, as the operating system says it, and how to fix that.

    >>> failed_file(FileNotFoundError(2, "No such file or directory", "a.csv"))
    '“a.csv” cannot be used: no such file or directory. Check its name and its folder.'
    """
    reason = problem.strerror or str(problem) or type(problem).__name__
    name = "A file" if problem.filename is None else f"“{problem.filename}”"
    return (
        f"{name} cannot be used: {reason[:1].lower()}{reason[1:]}. {_FIXES.get(problem.errno, 'Look at its folder.')}"
    )


def _is_callers(frame: FrameSummary) -> bool:
    """Whether a line is in a notebook's cell or in a file of the caller."""
    return bool(frame.line) and not frame.filename.startswith(_INSTALLED)
