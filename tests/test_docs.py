"""The documentation can be built, and is where the estimator says it is."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest
from sklearn.utils import estimator_html_repr

import sklearn_amortlda
from sklearn_amortlda import AmortizedLDA

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("fitted", [False, True])
def test_html_diagram_links_to_the_page_of_its_module(fitted, corpus):
    lda = AmortizedLDA(2, max_iter=1, random_state=0)
    html = estimator_html_repr(lda.fit(corpus) if fitted else lda)
    # sphinx-apidoc names a page after the module that exports the class.
    page = f"/en/stable/{sklearn_amortlda.__name__}.html"
    assert f'href="https://sklearn-amortlda.readthedocs.io{page}"' in html


@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.glob("plot_*.py")))
def test_examples_have_the_form_of_a_gallery(name):
    source = (EXAMPLES / name).read_text()
    over, title, under, *_ = ast.get_docstring(ast.parse(source)).splitlines()
    assert over == under and set(over) == {"="} and len(over) >= len(title)
    # A block begins with its text, in which no heading is longer than its line.
    for block in source.split("\n# %%\n")[1:]:
        assert block.startswith("# ")
    for heading, line in pairwise(source.splitlines()):
        if re.fullmatch(r"# -+", line):
            assert heading.startswith("# ") and len(heading) <= len(line)
