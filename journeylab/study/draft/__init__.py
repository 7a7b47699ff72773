"""Draft: which study fits files that nobody has described yet? Guesses are marked, and what is not clear is asked."""

from journeylab.study.draft.pages import Draft, draft_study

__all__ = ["Draft", "draft_study"]
