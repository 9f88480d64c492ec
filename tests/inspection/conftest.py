"""Models of two topics (computed by hand) and of five topics (fitted to the corpus)."""

import numpy as np
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


@pytest.fixture(scope="session")
def texts(corpus):
    """The documents of the corpus as strings of the words word00, word01, ..."""
    names = np.array([f"word{v:02d}" for v in range(corpus.shape[1])], dtype=object)
    return [" ".join(np.repeat(names, row)) for row in corpus.toarray()]
