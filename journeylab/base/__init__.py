"""The ground floor: what could serve any subject. It knows no statistics and no customer."""

import lazy_loader

# Loaded when first used: they bring libraries with them that the command does not always need.
__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["html", "kinds", "ordering", "version"])
