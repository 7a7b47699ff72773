"""The reference site: `make docs` builds it in docs/_build, offline, and every warning is an error."""

import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

import reference  # noqa: E402 -- it lies beside this file

project = "journeylab"
author = "The journeylab authors"
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_nb"]
exclude_patterns = ["_build", "decisions/README.md", "pictures"]
templates_path = ["_templates"]

# A name in single backticks is looked up; where it is no name of the reference, it is shown as code.
# A method that several classes have, as in `plot()`, may lead to any of them.
default_role = "py:obj"
suppress_warnings = ["ref.python"]
add_module_names = False
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "undoc-members": False}
autosummary_generate = True
numpydoc_show_class_members = False

# The notebooks are shown with the outputs they were committed with.
nb_execution_mode = "off"
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "journeylab"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False, "secondary_sidebar_items": ["page-toc"]}

reference.write_pages(DOCS / "reference")
shutil.rmtree(DOCS / "guide", ignore_errors=True)
shutil.copytree(DOCS.parent / "notebooks", DOCS / "guide", ignore=shutil.ignore_patterns(".*"))


def setup(app):
    """Let the build fail where a page would ask a network for something."""
    app.connect("build-finished", reference.check_offline)
