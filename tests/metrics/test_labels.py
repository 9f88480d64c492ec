"""Agreement of topics with labels against plain loops."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from sklearn.metrics import confusion_matrix

from sklearn_amortlda.metrics import purity_score, retrieval_precision


def drawn(n_documents, seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet([0.3] * 4, n_documents), rng.integers(0, 3, n_documents)


def precision_by_loops(found, labels, queries, query_labels, k, itself):
    hits = []
    distances = cdist(np.sqrt(queries), np.sqrt(found)) / np.sqrt(2)
    for row, (distance, label) in enumerate(zip(distances, query_labels)):
        order = [d for d in distance.argsort() if not (itself and d == row)]
        hits += [labels[d] == label for d in order[:k]]
    return np.mean(hits)


def test_purity_is_the_share_of_the_most_common_label():
    theta, labels = drawn(200)
    topics = theta.argmax(axis=1)
    table = confusion_matrix(labels, topics)
    assert_allclose(purity_score(labels, topics), table.max(axis=0).sum() / 200)
    assert purity_score(labels, labels) == 1.0
    assert purity_score(labels, np.arange(200)) == 1.0


def test_purity_takes_labels_of_any_type():
    topics = np.array([5, 5, 9, 9, 9])
    assert purity_score(["x", "x", "y", "y", "x"], topics) == 0.8


@pytest.mark.parametrize("labels, topics", [([], []), ([1, 2], [1])])
def test_invalid_labels_raise(labels, topics):
    with pytest.raises(ValueError, match=r"no documents|inconsistent numbers"):
        purity_score(labels, topics)


@pytest.mark.parametrize("k", [1, 5])
def test_precision_of_documents_that_search_the_others(k):
    theta, labels = drawn(80)
    expected = precision_by_loops(theta, labels, theta, labels, k, itself=True)
    found = retrieval_precision(theta, labels, n_neighbors=k)
    assert_allclose(found, expected)
    # Rows need not sum to 1.
    counts = theta * np.arange(1, 81)[:, np.newaxis]
    assert_allclose(retrieval_precision(counts, labels, n_neighbors=k), expected)


def test_precision_of_queries():
    theta, labels = drawn(80)
    queries, query_labels = drawn(30, seed=1)
    expected = precision_by_loops(theta, labels, queries, query_labels, 7, itself=False)
    found = retrieval_precision(
        theta, labels, n_neighbors=7, queries=queries, query_labels=query_labels
    )
    assert_allclose(found, expected)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"n_neighbors": 80}, "n_neighbors must be an integer from 1 to 79"),
        ({"n_neighbors": 0}, "n_neighbors must be an integer from 1 to 79"),
        ({"n_neighbors": 2.0}, "n_neighbors must be an integer from 1 to 79"),
        ({"queries": drawn(3)[0]}, "both queries and query_labels"),
        ({"labels": [0, 1]}, "inconsistent numbers"),
        ({"doc_topic": -drawn(80)[0]}, "Negative values in data passed to doc_topic"),
    ],
)
def test_invalid_arguments_raise(change, message):
    theta, labels = drawn(80)
    with pytest.raises(ValueError, match=message):
        retrieval_precision(**{"doc_topic": theta, "labels": labels} | change)
