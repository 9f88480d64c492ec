"""The HTML diagram of the estimator, and the form of the gallery's examples."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest
from sklearn.utils import estimator_html_repr

from sklearn_amortlda import AmortizedLDA

EXAMPLES = Path(__file__).parent.parent / "examples"


# No documentation is hosted, and a link would lead to a page that does not exist.
@pytest.mark.parametrize("fitted", [False, True])
def test_html_diagram_has_no_link(fitted, corpus):
    lda = AmortizedLDA(2, max_iter=1, random_state=0)
    html = estimator_html_repr(lda.fit(corpus) if fitted else lda)
    assert "AmortizedLDA" in html and "href=" not in html


@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.glob("plot_*.py")))
def test_example_has_the_form_of_a_gallery_page(name):
    source = (EXAMPLES / name).read_text()
    over, title, under, *_ = ast.get_docstring(ast.parse(source)).splitlines()
    assert over == under and set(over) == {"="} and len(over) >= len(title)
    for block in source.split("\n# %%\n")[1:]:
        assert block.startswith("# ")
    # Sphinx refuses a heading that is longer than the line under it.
    for heading, line in pairwise(source.splitlines()):
        if re.fullmatch(r"# -+", line):
            assert heading.startswith("# ") and len(heading) <= len(line)
