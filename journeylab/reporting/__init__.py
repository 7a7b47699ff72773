"""What we show: executed notebooks as offline HTML reports."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"export": ["write_reports"]})
