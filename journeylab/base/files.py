"""Files: written whole or not at all, and with fingerprints that show whether anything changed."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from journeylab.base.errors import JourneyLabError

try:
    import fcntl
except ImportError:  # Windows has no such locks: there nothing is swept
    fcntl = None  # type: ignore[assignment]

_BLOCK, _DIGITS = 1 << 20, 12
_HELD = "held"


@contextmanager
def replaced(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it replaces `path` in one step, or is removed on failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def own_folder(prefix: str = "journeylab-") -> tuple[Path, IO]:
    """A new folder for temporary files, and the open file by which it is held: the folder is in use until that is
    closed, at the latest when this process ends.

    Folders of the same `prefix` that are this user's and that nobody holds any more, because a process was killed, are
    removed first.
    """
    for held in Path(tempfile.gettempdir()).glob(f"{prefix}*/{_HELD}"):
        with suppress(OSError), held.open("a") as lock:
            if fcntl and held.stat().st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where another process holds it
                shutil.rmtree(held.parent, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    lock = (folder / f".{_HELD}").open("a")
    if fcntl:
        fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / f".{_HELD}").rename(folder / _HELD)
    return folder, lock


def write_text(path: str | Path, text: str) -> Path:
    """Write `text` as UTF-8 to `path` in one step; returns the path."""
    with replaced(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)


def fingerprint(*parts: str | bytes | Path | Iterable[Path]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of `parts`: text as it is, files (Path) by content."""
    digest = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            digest.update(len(piece).to_bytes(8, "little"))
            digest.update(piece)
    return digest.hexdigest()[:16]


def sha256_of(content: Any) -> str:
    """The SHA-256 of `content`, plain values, as canonical JSON: keys sorted, no spaces, UTF-8."""
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True)
class SignedFormat:
    """A JSON file with `format`, `version`, `sha256` and `content`. The SHA-256 of the content tells that the file was
    changed, not by whom.

    noun: what the file has, and remedy: how to get another one; both as messages say it. error: what is raised.
    """

    name: str
    version: int
    noun: str
    remedy: str
    error: type[JourneyLabError]

    def write(self, path: str | Path, content: dict[str, Any]) -> Path:
        """Write `content` in one step, with a line for each of its parts so that versions can be compared."""
        body = ",\n".join(f"{_canonical(key)}:{_canonical(content[key])}" for key in sorted(content))
        head = f'"format":{_canonical(self.name)},\n"version":{self.version},\n"sha256":"{sha256_of(content)}"'
        return write_text(path, f'{{{head},\n"content":{{\n{body}\n}}}}\n')

    def check(self, document: Any, file: str) -> None:
        """Raise `error` unless `document`, read from `file`, has this format and version and was not changed."""
        if not isinstance(document, dict) or document.get("format") != self.name:
            raise self.error(
                f"“{file}” has no {self.noun}: it does not say that its format is “{self.name}”. Correct the path."
            )
        if document.get("version") != self.version:
            raise self.error(
                f"“{file}” is in version “{document.get('version')}” of its format, and this journeylab reads version "
                f"{self.version}. Install the journeylab that wrote it, or {self.remedy}."
            )
        written, actual = str(document.get("sha256")), sha256_of(document.get("content"))
        if written != actual:
            raise self.error(
                f"“{file}” was changed after it was written: the SHA-256 of its content is “{actual[:_DIGITS]}…”, and "
                f"the file says “{written[:_DIGITS]}…”. Restore the file as it was written, or {self.remedy}."
            )


def _pieces(part: str | bytes | Path | Iterable[Path]) -> Iterator[bytes]:
    if isinstance(part, str):
        yield part.encode()
    elif isinstance(part, bytes):
        yield part
    elif isinstance(part, Path):
        with part.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    else:
        for path in part:
            yield from _pieces(path)
