"""Coherence, diversity and stability against hand-computed cases and gensim."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.spatial.distance import pdist

from sklearn_amortlda.metrics import (
    embedding_coherence,
    topic_coherence,
    topic_diversity,
    topic_stability,
)

# Word 0 is in documents 0 1 2, word 1 in 0 1, word 2 in 3, word 3 in 0 to 3 (all),
# word 4 in none.
X_HAND = np.array([[2, 1, 0, 1, 0], [1, 3, 0, 1, 0], [1, 0, 0, 2, 0], [0, 0, 5, 1, 0]])


def one_topic(*ranked, n_words=5):
    """Return a topic whose top words are `ranked`."""
    topic = np.zeros((1, n_words))
    topic[0, list(ranked)] = np.arange(len(ranked), 0, -1)
    return topic


def coherence(measure, *ranked):
    return topic_coherence(
        one_topic(*ranked), X_HAND, measure=measure, n_top_words=len(ranked)
    )


@pytest.mark.parametrize(
    "ranked, expected",
    [
        ((0, 1), np.log(0.5 / (0.75 * 0.5)) / -np.log(0.5)),
        ((0, 2), -1.0),  # no document holds both words
        ((0, 4), -1.0),  # no document holds word 4
        ((0, 3), 0.0),  # every document holds word 3: independent of word 0
        ((0, 1, 2), (np.log(4 / 3) / np.log(2) - 2) / 3),
    ],
)
def test_npmi_by_hand(ranked, expected):
    assert_allclose(coherence("npmi", *ranked), expected, atol=1e-12)


def test_pair_in_every_document_is_fully_coherent():
    X, topic = np.ones((3, 2)), [[2, 1]]
    assert topic_coherence(topic, X, n_top_words=2) == 1.0
    assert_allclose(topic_coherence(topic, X, measure="c_v", n_top_words=2), 1.0)


@pytest.mark.parametrize(
    "ranked, expected",
    [
        ((0, 1), np.log(0.5 / 0.75)),  # p(1 | 0): word 0 has the higher rank
        ((1, 0), np.log(0.5 / 0.5)),
        ((0, 2), np.log(1e-12 / 0.75)),
        ((4, 0), np.log(1e-12)),  # gensim returns 0, the best value
        ((0, 1, 3), (np.log(2 / 3) + np.log(0.75 / 0.75) + np.log(0.5 / 0.5)) / 3),
    ],
)
def test_u_mass_by_hand(ranked, expected):
    assert_allclose(coherence("u_mass", *ranked), expected, atol=1e-10)


def test_c_v_by_hand():
    npmi = np.log(4 / 3) / np.log(2)
    # The vectors are (1, npmi) and (npmi, 1). Their sum is a multiple of (1, 1).
    expected = (1 + npmi) / np.sqrt(2 * (1 + npmi**2))
    assert_allclose(coherence("c_v", 0, 1), expected)


def test_c_v_equals_the_definition_of_roeder_et_al(topics, counts):
    """Mean cosine between the NPMI vector of a word and the sum of these vectors."""
    seen = counts.sum(axis=0) > 0
    topics, counts = topics[:, seen], counts[:, seen]
    present = counts > 0

    def npmi(v, w):
        joint = np.mean(present[:, v] & present[:, w]) + 1e-12
        apart = present[:, v].mean() * present[:, w].mean()
        return np.log(joint / apart) / -np.log(joint)

    found = topic_coherence(topics, counts, measure="c_v", n_top_words=4, average=False)
    for topic, value in zip(topics, found):
        top = np.argsort(-topic)[:4]
        vectors = np.array([[npmi(v, w) for w in top] for v in top])
        whole = vectors.sum(axis=0)
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(whole)
        assert_allclose(value, np.mean(vectors @ whole / lengths))


def test_absent_word_adds_zero_to_c_v():
    # The vector of word 0 is (1, 0). The vector of word 4 is (0, 0).
    assert_allclose(coherence("c_v", 0, 4), 0.5)


@pytest.mark.parametrize("measure", ["npmi", "u_mass", "c_v"])
def test_average_is_the_mean_over_topics(topics, counts, measure):
    each = topic_coherence(topics, counts, measure=measure, average=False)
    assert each.shape == (6,)
    assert_allclose(topic_coherence(topics, counts, measure=measure), each.mean())
    assert_allclose(topic_coherence(topics[2:3], counts, measure=measure), each[2])


@pytest.mark.parametrize("measure", ["npmi", "u_mass", "c_v"])
def test_coherence_depends_on_presence_only(topics, counts, measure):
    expected = topic_coherence(topics, counts, measure=measure)
    assert_allclose(topic_coherence(7 * topics, counts > 0, measure=measure), expected)
    assert_allclose(topic_coherence(topics, 0.3 * counts, measure=measure), expected)


@pytest.mark.parametrize(
    "container",
    [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix, sparse.csr_array],
)
def test_coherence_does_not_depend_on_the_container(topics, counts, container):
    assert topic_coherence(topics, container(counts)) == topic_coherence(topics, counts)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_stored_zero_is_absent_and_X_is_kept(dtype):
    X = sparse.csr_matrix(
        (np.array([200, 100, 2, 0], dtype), np.array([1, 1, 0, 2]), np.array([0, 4])),
        (1, 3),
    )
    before = X.data.copy(), X.indices.copy()
    assert topic_coherence([[1, 3, 2]], X, n_top_words=2) == -1.0
    assert_array_equal(X.data, before[0])
    assert_array_equal(X.indices, before[1])


@pytest.mark.parametrize(
    "measure, gensim_name", [("npmi", "c_npmi"), ("u_mass", "u_mass"), ("c_v", "c_v")]
)
def test_coherence_equals_gensim(topics, counts, measure, gensim_name):
    pytest.importorskip("gensim")
    from gensim.corpora import Dictionary
    from gensim.models.coherencemodel import CoherenceModel

    # gensim divides by zero if no document holds a word.
    seen = counts.sum(axis=0) > 0
    topics, counts = topics[:, seen], counts[:, seen]
    names = np.array([f"w{v:02d}" for v in range(counts.shape[1])])
    texts = [list(np.repeat(names, row)) for row in counts]
    dictionary = Dictionary([list(names)])
    ranked = [list(names[np.argsort(-topic)[:5]]) for topic in topics]
    peer = CoherenceModel(
        topics=ranked,
        texts=texts,
        corpus=[dictionary.doc2bow(text) for text in texts],
        dictionary=dictionary,
        coherence=gensim_name,
        window_size=None if measure == "u_mass" else 1000,
        topn=5,
        processes=1,
    )
    ours = topic_coherence(
        topics, counts, measure=measure, n_top_words=5, average=False
    )
    theirs = np.array(peer.get_coherence_per_topic())
    together = np.array([_all_pairs_co_occur(topic, counts) for topic in topics])
    if measure == "npmi":
        # The documented difference: pairs that never co-occur.
        assert together.any() and not together.all()
        assert np.all(ours[~together] < theirs[~together])
        ours, theirs = ours[together], theirs[together]
    assert_allclose(ours, theirs, rtol=1e-9)


def _all_pairs_co_occur(topic, counts, n_top_words=5):
    present = (counts[:, np.argsort(-topic)[:n_top_words]] > 0).astype(int)
    return np.all(present.T @ present)


def test_diversity_by_hand():
    topics = [[3, 2, 1, 0], [3, 2, 1, 0], [0, 1, 2, 3]]
    assert topic_diversity(topics, n_top_words=2) == 4 / 6
    assert topic_diversity(topics, n_top_words=4) == 4 / 12


def test_stability_ignores_order_and_scale(topics):
    assert (
        topic_stability([topics, 3 * topics[::-1], topics[[1, 0, 2, 4, 3, 5]]]) == 1.0
    )


def test_stability_by_hand():
    a, b, c = np.eye(3)[:2], np.eye(3)[1:], np.array([[1, 1, 0], [0, 0, 1]])
    # Cosines of the matched topics: 1 and 0 (a-b), sqrt(1/2) and 0 (a-c), 1 and
    # sqrt(1/2) (b-c).
    half = np.sqrt(0.5)
    assert_allclose(
        topic_stability([a, b, c]), np.mean([0.5, half / 2, (1 + half) / 2])
    )


def test_stability_matches_one_to_one():
    # The first topic of b is the most similar one to both topics of a.
    a, b = np.array([[1, 0], [1, 0]]), np.eye(2)
    assert topic_stability([a, b]) == 0.5


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: topic_coherence([[1, 2]], [[1, 1]], measure="uci"),
            "measure must be one of",
        ),
        (lambda: topic_coherence([[1, 2]], [[1, 1]]), "n_top_words must be"),
        (lambda: topic_coherence([[1, 2]], [[1, 1]], n_top_words=1), "integer from 2"),
        (lambda: topic_coherence([[1, 2]], [[1, 1]], n_top_words=2.0), "n_top_words"),
        (
            lambda: topic_coherence([[1, 2]], [[1, 1, 0]], n_top_words=2),
            "X has 3 words",
        ),
        (
            lambda: topic_coherence([[1, -2]], [[1, 1]], n_top_words=2),
            "Negative values",
        ),
        (
            lambda: topic_coherence([[1, 2]], [[1, -1]], n_top_words=2),
            "Negative values",
        ),
        (lambda: topic_coherence([[1, np.nan]], [[1, 1]], n_top_words=2), "NaN"),
        (lambda: topic_diversity([[1, 2]], n_top_words=3), "n_top_words"),
        (lambda: topic_stability([[[1, 2]]]), "at least two arrays"),
        (lambda: topic_stability([[[1, 2]], [[1, 2, 3]]]), "one shape"),
    ],
)
def test_invalid_input_raises_with_its_cause(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# -- coherence by word vectors -----------------------------------------------------


def test_embedding_coherence_is_the_mean_cosine_of_pairs(topics):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(topics.shape[1], 6))
    expected = []
    for row in topics:
        top = vectors[np.argsort(-row)[:5]]
        expected.append(1 - pdist(top, "cosine").mean())
    found = embedding_coherence(topics, vectors, n_top_words=5, average=False)
    assert_allclose(found, expected)
    assert_allclose(
        embedding_coherence(topics, vectors, n_top_words=5), np.mean(expected)
    )


def test_words_without_vectors_are_left_out():
    topic = [[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]]
    vectors = np.array([[1.0, 0], [0, 0], [1, 1], [np.nan, 1]])
    found = embedding_coherence(topic, vectors, n_top_words=3, average=False)
    assert_allclose(found, [np.sqrt(0.5), np.nan])
    assert_allclose(embedding_coherence(topic, vectors, n_top_words=3), np.sqrt(0.5))


@pytest.mark.parametrize(
    "vectors, message",
    [
        (np.ones((3, 2)), "3 rows but topic_word has 4 words"),
        (np.full((4, 2), np.nan), "No topic has two top words with vectors"),
        (np.full((4, 2), np.inf), "infinity"),
    ],
)
def test_invalid_word_vectors_raise(vectors, message):
    with pytest.raises(ValueError, match=message):
        embedding_coherence(np.eye(4)[:2] + 0.1, vectors, n_top_words=2)
