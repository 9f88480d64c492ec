"""Trees of topics, against scikit-learn's agglomerative clustering."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import jensenshannon, squareform
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from sklearn_amortlda.inspection import topic_hierarchy
from sklearn_amortlda.inspection._hierarchy import topic_distances


@pytest.fixture
def many():
    topics = np.random.default_rng(0).dirichlet(np.full(30, 0.2), 12)
    return SimpleNamespace(topic_word_=topics)


@pytest.mark.parametrize("method", ["average", "complete", "single"])
@pytest.mark.parametrize("n_groups", [1, 2, 5, 11, 12])
def test_cut_equals_agglomerative_clustering(many, method, n_groups):
    groups = topic_hierarchy(many, method=method).cut(n_groups)
    labels = np.empty(12)
    for label, group in enumerate(groups):
        labels[group] = label
    distances = squareform(topic_distances(many.topic_word_))
    peer = AgglomerativeClustering(n_groups, metric="precomputed", linkage=method)
    assert adjusted_rand_score(peer.fit_predict(distances), labels) == 1.0
    assert len(groups) == n_groups


def test_groups_hold_every_topic_once_in_order(many):
    groups = topic_hierarchy(many).cut(4)
    assert_array_equal(np.sort(np.concatenate(groups)), np.arange(12))
    firsts = [group[0] for group in groups]
    assert firsts == sorted(firsts)
    assert all((np.diff(group) > 0).all() for group in groups)


def test_distances_do_not_depend_on_the_scale_of_the_weights(many):
    topics = many.topic_word_
    scaled = topic_distances(topics * np.arange(1, 13)[:, None])
    assert_allclose(scaled, topic_distances(topics))
    assert_allclose(scaled[0], jensenshannon(topics[0], topics[1]))


def test_equal_topics_merge_first_at_distance_zero():
    topics = np.array([[1.0, 2, 3], [3, 2, 1], [1, 2, 3]])
    hierarchy = topic_hierarchy(SimpleNamespace(components_=topics))
    assert hierarchy.linkage[0, 2] == 0
    assert [group.tolist() for group in hierarchy.cut(2)] == [[0, 2], [1]]


@pytest.mark.parametrize("n_groups", [0, 13, 2.0, True, None])
def test_invalid_number_of_groups_raises(many, n_groups):
    with pytest.raises(ValueError, match="n_groups must be an integer from 1 to 12"):
        topic_hierarchy(many).cut(n_groups)


def test_unknown_method_raises(many):
    with pytest.raises(ValueError, match="method must be one of"):
        topic_hierarchy(many, method="ward")


def test_one_topic_raises():
    with pytest.raises(ValueError, match="at least two topics"):
        topic_hierarchy(SimpleNamespace(components_=np.ones((1, 3))))
