"""Corpora that are drawn from LDA, so that the true topics are known."""

import os

# Before torch is imported: a second thread slows models of this size down.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.decomposition import LatentDirichletAllocation

from sklearn_amortlda import AmortizedLDA


def draw_corpus(n_samples, n_topics, n_features, length, *, alpha=0.1, seed=0):
    """Counts drawn from LDA, its topics, and the documents' topic proportions."""
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(n_features, 0.05), n_topics)
    theta = rng.dirichlet(np.full(n_topics, alpha), n_samples)
    words = theta @ beta
    words /= words.sum(axis=1, keepdims=True)
    counts = [rng.multinomial(rng.poisson(length), p) for p in words]
    return sp.csr_matrix(np.array(counts)), beta, theta


def small_estimator(**parameters):
    """An estimator that fits the corpus in a fraction of a second."""
    settings = {
        "n_components": 5,
        "hidden_layer_sizes": (16,),
        "max_iter": 3,
        "batch_size": 64,
        "random_state": 0,
    }
    return AmortizedLDA(**{**settings, **parameters})


@pytest.fixture(scope="session")
def corpus():
    """300 short documents of 5 topics over 60 words."""
    return draw_corpus(300, 5, 60, 40)[0]


@pytest.fixture(scope="session")
def texts(corpus):
    """The documents of the corpus as strings of the words word00, word01, ..."""
    names = np.array([f"word{v:02d}" for v in range(corpus.shape[1])], dtype=object)
    return [" ".join(np.repeat(names, row)) for row in corpus.toarray()]


@pytest.fixture(scope="module")
def frame(corpus):
    """The corpus with a name for each column."""
    pd = pytest.importorskip("pandas")
    names = [f"word{v}" for v in range(corpus.shape[1])]
    return pd.DataFrame(corpus.toarray(), columns=names)


@pytest.fixture(scope="module", params=[AmortizedLDA, LatentDirichletAllocation])
def fitted_to_frame_and_array(request, frame):
    """Equal models, the first fitted with column names."""
    estimator = request.param(3, max_iter=2, random_state=0)
    return clone(estimator).fit(frame), estimator.fit(frame.to_numpy())
