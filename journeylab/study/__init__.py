"""A study folder: what study.yml names, what is found in it, and its sprints."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"study": ["Study", "open_study"]})
