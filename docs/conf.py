"""Configuration of the documentation: `sphinx-build -W docs build/html`."""

import sys
from pathlib import Path

from sklearn_amortlda import __version__

EXAMPLES = Path(__file__).parent.parent / "examples"
# The examples import their corpora from a module beside them.
sys.path.insert(0, str(EXAMPLES))


def in_reading_order(name):
    """Return the place of an example: the corpus and its topics first."""
    order = (
        "reading_topics displays number_of_topics early_stopping from_scikit_learn "
        "labels covariates seeded_topics search merged_topics stream refinement "
        "custom_encoder document_posterior calibration model_check learned_priors"
    )
    return order.split().index(Path(name).stem.removeprefix("plot_"))


project = "sklearn-amortlda"
copyright = "the authors of sklearn-amortlda"
release = version = __version__
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx_gallery.gen_gallery",
    # MathJax as a part of the pages, so that formulas are readable offline.
    "sphinx-mathjax-offline",
]
html_theme = "furo"
html_title = f"sklearn-amortlda {version}"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
autodoc_typehints = "none"
exclude_patterns = ["build"]
sphinx_gallery_conf = {
    "examples_dirs": str(EXAMPLES),
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"(^|/)(?!plot_)[^/]*\.py$",
    "download_all_examples": False,
    # Displays would be printed as objects with an address.
    "capture_repr": (),
    "within_subsection_order": in_reading_order,
    "show_memory": False,
    "min_reported_time": 0,
}
suppress_warnings = ["config.cache"]
