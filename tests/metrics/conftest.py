"""Counts, topics and a fitted model that the tests of the metrics share."""

import numpy as np
import pytest
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.utils.validation import _get_feature_names


@pytest.fixture
def counts():
    rng = np.random.RandomState(0)
    theta, beta = (
        rng.dirichlet(np.full(4, 0.2), 120),
        rng.dirichlet(np.full(40, 0.1), 4),
    )
    return rng.poisson(30 * theta @ beta)


@pytest.fixture
def topics():
    return np.random.RandomState(1).dirichlet(np.full(40, 0.1), 6)


@pytest.fixture
def lda(counts):
    return LatentDirichletAllocation(4, random_state=0).fit(counts)


@pytest.fixture(params=["pandas", "polars"])
def data_frame(request):
    """Function that makes a DataFrame with string column names of an array."""
    library = pytest.importorskip(request.param)
    if _get_feature_names(library.DataFrame({"word0": [1]})) is None:
        pytest.skip(f"this scikit-learn does not know {request.param}")
    return lambda X: library.DataFrame({f"word{v}": X[:, v] for v in range(X.shape[1])})
