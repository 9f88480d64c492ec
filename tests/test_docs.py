"""The HTML diagram of the estimator, and the form of the gallery's examples."""

import ast
import importlib
import re
from itertools import pairwise

import pytest
from repository import ROOT, needs_repository
from sklearn.utils import estimator_html_repr

from sklearn_amortlda import AmortizedLDA

EXAMPLES = ROOT / "examples"


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


PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


@needs_repository
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_refer_to_files_that_exist(page):
    text = page.read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert all((page.parent / link).exists() for link in links), links
    # Paths of files in code, such as `examples/stream.py` or `model/lda.py`.
    paths = re.findall(r"\b((?:[a-z_]+/)+[a-z_]+\.(?:py|yml))\b", text)
    folders = (ROOT, ROOT / "sklearn_amortlda")
    missing = [p for p in paths if not any((f / p).exists() for f in folders)]
    assert not missing


@needs_repository
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_public_functions_that_exist(page):
    names = re.findall(
        r"`(?:sklearn_amortlda\.)?(metrics|inspection)\.(\w+)`", page.read_text()
    )
    for module, name in names:
        importlib.import_module(f"sklearn_amortlda.{module}").__dict__[name]


@needs_repository
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_placeholder_is_left(page):
    assert "@@" not in page.read_text()
