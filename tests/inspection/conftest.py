"""Models of two topics (computed by hand) and of five topics (fitted to the corpus)."""

import pytest
from inspection.fixed_model import fixed_model
from sklearn.decomposition import LatentDirichletAllocation

from sklearn_amortlda import AmortizedLDA


@pytest.fixture
def model():
    return fixed_model()


@pytest.fixture(scope="session")
def lda(corpus):
    return AmortizedLDA(5, max_iter=5, random_state=0).fit(corpus)


@pytest.fixture(scope="session")
def peer(corpus):
    return LatentDirichletAllocation(5, random_state=0).fit(corpus)
