"""A study folder: what study.yml names, what is found in it, and its sprints."""

import lazy_loader

# Loaded when first used, so that the command answers at once where it needs none of them.
_NAMES = {
    "draft": ["draft_study"],
    "method_page": ["data_in_words", "masthead_of", "overview_of", "rows_read"],
    "sprints.page": ["NOTEBOOK", "write_comparison"],
    "sprints.sprints": ["start_sprint"],
    "study": ["Study", "open_study"],
}
__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs=_NAMES)
