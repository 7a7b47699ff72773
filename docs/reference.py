"""The pages of the reference: one for each kind of name on the face, and one for the nouns that these give."""

import inspect
import re
import shutil
import typing
from pathlib import Path

from sphinx.errors import SphinxError

import journeylab as jl

# Page -> its title, what stands under it, and how the names of its functions begin.
PAGES = {
    "read": ("Read", "From files, databases and made-up customers to nouns.", ("open_", "read_", "simulate_", "lint_")),
    "find": ("Find", "What is discovered: spells, personas, groups, quotes.", ("find_", "pool_", "build_steps")),
    "estimate": ("Estimate", "Quantities, each with its interval and its base.", ("estimate_", "fit_", "score_")),
    "compare": ("Compare", "What differs, and how surely.", ("compare_",)),
    "show": ("Show", "What readers see.", ("build_map", "redact")),
}
NETWORK = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=[\"'](?:https?:)?//[^\"']+", re.IGNORECASE
)
NETWORK_OF_STYLES = re.compile(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']+")


def write_pages(folder: Path) -> None:
    """Write the pages into `folder`, anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    names = {page: [name for name in jl.__all__ if name.startswith(begins)] for page, (*_, begins) in PAGES.items()}
    for page, (title, opening, _) in PAGES.items():
        _write(folder / f"{page}.rst", title, opening, [f"journeylab.{name}" for name in names[page]])
    _write(folder / "nouns.rst", "Nouns", "What the functions take and give.", nouns())
    missing = set(jl.__all__).difference(*names.values(), (path.rpartition(".")[2] for path in nouns()))
    if missing:
        raise SphinxError(f"No page of the reference has {sorted(missing)}. Name their page in docs/reference.py.")


def nouns() -> list[str]:
    """The classes on the face, and those that its functions give, by where they live, in the order of their names."""
    face = [getattr(jl, name) for name in jl.__all__]
    given = [inspect.get_annotations(each, eval_str=True).get("return") for each in face if inspect.isfunction(each)]
    inner = [typing.get_args(each) for each in given]
    classes = {each for each in [*face, *given, *sum(inner, ())] if inspect.isclass(each)}
    own = [each for each in classes if each.__module__.startswith("journeylab.")]
    return [f"{each.__module__}.{each.__name__}" for each in sorted(own, key=lambda each: each.__name__)]


def _write(path: Path, title: str, opening: str, names: list[str]) -> None:
    listed = [".. autosummary::", "   :toctree: .", "   :nosignatures:", "", *(f"   ~{name}" for name in names)]
    text = "\n".join([title, "=" * len(title), "", opening, "", *listed, ""])
    path.write_text(text, encoding="utf-8")


def check_offline(app, exception) -> None:
    """Raise SphinxError where a built page or stylesheet would load something from a network."""
    if exception is not None:
        return
    patterns = {".html": NETWORK, ".css": NETWORK_OF_STYLES}
    asked = [
        f"{path.relative_to(app.outdir)}: {found[0]}"
        for path in sorted(Path(app.outdir).rglob("*"))
        if path.suffix in patterns
        for found in patterns[path.suffix].finditer(path.read_text(encoding="utf-8"))
    ]
    if asked:
        raise SphinxError("The site would ask a network for something:\n" + "\n".join(asked))
