"""Fitted models to draw, and a backend of matplotlib that opens no window."""

import pytest
from sklearn.decomposition import LatentDirichletAllocation

from sklearn_amortlda import AmortizedLDA


@pytest.fixture(autouse=True)
def closed_figures():
    matplotlib = pytest.importorskip("matplotlib", reason="needs matplotlib")
    matplotlib.use("Agg")
    yield
    from matplotlib import pyplot

    pyplot.close("all")


@pytest.fixture(scope="session", params=[AmortizedLDA, LatentDirichletAllocation])
def model(request, corpus):
    return request.param(5, max_iter=2, random_state=0).fit(corpus)
