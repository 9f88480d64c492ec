"""Metrics against hand-computed cases, gensim and scikit-learn."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_amortlda.metrics import (
    _completion,
    c_v_scorer,
    completion_split,
    document_completion_perplexity,
    document_completion_scorer,
    held_out_perplexity,
    npmi_scorer,
    topic_coherence,
    topic_diversity,
    topic_diversity_scorer,
    topic_stability,
    u_mass_scorer,
)
from sklearn_amortlda.metrics._checks import top_indices

# Word 0 is in documents 0 1 2, word 1 in 0 1, word 2 in 3, word 3 in 0 to 3 (all),
# word 4 in none.
X_HAND = np.array([[2, 1, 0, 1, 0], [1, 3, 0, 1, 0], [1, 0, 0, 2, 0], [0, 0, 5, 1, 0]])
SPARSE = [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix, sparse.csr_array]


def one_topic(*ranked, n_words=5):
    """A topic whose top words are `ranked`."""
    topic = np.zeros((1, n_words))
    topic[0, list(ranked)] = np.arange(len(ranked), 0, -1)
    return topic


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


def coherence(measure, *ranked):
    return topic_coherence(
        one_topic(*ranked), X_HAND, measure=measure, n_top_words=len(ranked)
    )


@pytest.mark.parametrize(
    "ranked, expected",
    [
        ((0, 1), np.log(0.5 / (0.75 * 0.5)) / -np.log(0.5)),
        ((0, 2), -1.0),  # never together
        ((0, 4), -1.0),  # 4 is in no document
        ((0, 3), 0.0),  # 3 is in every document, so independent of 0
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
        ((0, 1), np.log(0.5 / 0.75)),  # conditioned on the better ranked word
        ((1, 0), np.log(0.5 / 0.5)),
        ((0, 2), np.log(1e-12 / 0.75)),
        ((4, 0), np.log(1e-12)),  # not gensim's 0, which would be the best value
        ((0, 1, 3), (np.log(2 / 3) + np.log(0.75 / 0.75) + np.log(0.5 / 0.5)) / 3),
    ],
)
def test_u_mass_by_hand(ranked, expected):
    assert_allclose(coherence("u_mass", *ranked), expected, atol=1e-10)


def test_c_v_by_hand():
    npmi = np.log(4 / 3) / np.log(2)
    # Vectors (1, npmi) and (npmi, 1); their sum is along (1, 1).
    expected = (1 + npmi) / np.sqrt(2 * (1 + npmi**2))
    assert_allclose(coherence("c_v", 0, 1), expected)


def test_c_v_is_its_definition(topics, counts):
    """Segments of one word against all, NPMI vectors, cosine, mean (Roeder et al.)."""
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


def test_c_v_of_a_word_in_no_document():
    # The vector of word 0 is (1, 0), that of word 4 is zero.
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


@pytest.mark.parametrize("container", SPARSE)
def test_containers_agree(topics, counts, lda, container):
    X = container(counts)
    assert topic_coherence(topics, X) == topic_coherence(topics, counts)
    assert document_completion_perplexity(lda, X) == document_completion_perplexity(
        lda, counts
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_duplicate_entries_add_up_and_stay(dtype):
    X = sparse.csr_matrix(
        (np.array([200, 100, 2, 0], dtype), np.array([1, 1, 0, 2]), np.array([0, 4])),
        (1, 3),
    )
    before = X.data.copy(), X.indices.copy()
    observed, held_out = completion_split(X)
    assert_array_equal((observed + held_out).toarray(), [[2, 300, 0]])
    assert (
        topic_coherence([[1, 3, 2]], X, n_top_words=2) == -1.0
    )  # an explicit zero is absent
    assert_array_equal(X.data, before[0])
    assert_array_equal(X.indices, before[1])


@pytest.mark.parametrize(
    "measure, gensim_name", [("npmi", "c_npmi"), ("u_mass", "u_mass"), ("c_v", "c_v")]
)
def test_coherence_equals_gensim(topics, counts, measure, gensim_name):
    pytest.importorskip("gensim")
    from gensim.corpora import Dictionary
    from gensim.models.coherencemodel import CoherenceModel

    # gensim divides by zero at words that no document holds.
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
    together = np.array([_all_pairs_meet(topic, counts) for topic in topics])
    if measure == "npmi":  # the one documented difference: pairs that never meet
        assert together.any() and not together.all()
        assert np.all(ours[~together] < theirs[~together])
        ours, theirs = ours[together], theirs[together]
    assert_allclose(ours, theirs, rtol=1e-9)


def _all_pairs_meet(topic, counts, n_top_words=5):
    present = (counts[:, np.argsort(-topic)[:n_top_words]] > 0).astype(int)
    return np.all(present.T @ present)


def test_diversity_by_hand():
    topics = [[3, 2, 1, 0], [3, 2, 1, 0], [0, 1, 2, 3]]
    assert topic_diversity(topics, n_top_words=2) == 4 / 6
    assert topic_diversity(topics, n_top_words=4) == 4 / 12


def test_top_words_of_a_tie_are_the_first():
    assert_array_equal(top_indices(np.ones((1, 5)), 3, "n"), [[0, 1, 2]])
    ranked = top_indices(np.array([[0.1, 0.9, 0.5, 0.9]]), 3, "n")
    assert_array_equal(ranked, [[1, 3, 2]])


def test_stability_ignores_order_and_scale(topics):
    assert (
        topic_stability([topics, 3 * topics[::-1], topics[[1, 0, 2, 4, 3, 5]]]) == 1.0
    )


def test_stability_by_hand():
    a, b, c = np.eye(3)[:2], np.eye(3)[1:], np.array([[1, 1, 0], [0, 0, 1]])
    # a-b share one topic of two; a-c match one topic at cosine 1 / sqrt(2); b-c one
    # at 1 and one at 1 / sqrt(2).
    half = np.sqrt(0.5)
    assert_allclose(
        topic_stability([a, b, c]), np.mean([0.5, half / 2, (1 + half) / 2])
    )


def test_stability_matches_one_to_one():
    # Both topics of the first run resemble the second run's first topic most.
    a, b = np.array([[1, 0], [1, 0]]), np.eye(2)
    assert topic_stability([a, b]) == 0.5


def test_split_adds_up_and_halves(counts):
    observed, held_out = completion_split(sparse.csr_matrix(counts))
    assert_array_equal((observed + held_out).toarray(), counts)
    assert observed.data.min() >= 1 and held_out.data.min() >= 1
    assert abs(observed.sum() / counts.sum() - 0.5) < 4 * 0.5 / np.sqrt(counts.sum())


def test_split_follows_random_state(counts):
    first, second, other = (
        completion_split(counts, seed)[0].toarray() for seed in (0, 0, 1)
    )
    assert_array_equal(first, second)
    assert np.any(first != other)


def test_perplexity_by_hand():
    theta, beta = [[1, 3], [1, 0]], [[0.5, 0.5, 0], [0, 0.2, 0.8]]
    X = [[1, 2, 0], [0, 1, 0]]
    log_p = np.log(0.25 * 0.5) + 2 * np.log(0.25 * 0.5 + 0.75 * 0.2) + np.log(0.5)
    assert_allclose(held_out_perplexity(theta, beta, X), np.exp(-log_p / 4))
    assert held_out_perplexity(theta, beta, [[0, 0, 0], [0, 0, 1]]) == np.inf


def test_perplexity_does_not_depend_on_chunks(counts, topics, monkeypatch):
    theta = np.random.RandomState(0).dirichlet(np.ones(6), len(counts))
    whole = held_out_perplexity(theta, topics, counts)
    dense = np.exp(-np.sum(counts * np.log(theta @ topics)) / counts.sum())
    assert_allclose(whole, dense)
    monkeypatch.setattr(_completion, "_CHUNK", 20)
    assert_allclose(held_out_perplexity(theta, topics, counts), whole)


def test_completion_of_a_single_topic_is_the_unigram_perplexity(counts):
    lda = LatentDirichletAllocation(1, random_state=0).fit(counts)
    _, held_out = completion_split(counts)
    unigram = lda.components_[0] / lda.components_[0].sum()
    expected = np.exp(-held_out.sum(axis=0) @ np.log(unigram) / held_out.sum())
    assert_allclose(document_completion_perplexity(lda, counts), expected)
    assert_allclose(document_completion_scorer(lda, counts), -np.log(expected))


def test_topic_word_is_preferred_to_components(counts, lda):
    expected = document_completion_perplexity(lda, counts)
    lda.topic_word_ = lda.components_ / lda.components_.sum(axis=1, keepdims=True)
    lda.components_ = np.ones_like(lda.components_)
    assert_allclose(document_completion_perplexity(lda, counts), expected)


def test_right_topics_have_lower_perplexity_than_wrong_ones(counts, lda):
    fitted = document_completion_perplexity(lda, counts)
    lda.components_ = lda.components_[:, ::-1]
    assert fitted < document_completion_perplexity(lda, counts)


def test_pandas_output(counts, lda):
    pytest.importorskip("pandas")
    expected = document_completion_perplexity(lda, counts)
    assert (
        document_completion_perplexity(lda.set_output(transform="pandas"), counts)
        == expected
    )


SCORERS = {
    document_completion_scorer: lambda lda, X: (
        -np.log(document_completion_perplexity(lda, X))
    ),
    npmi_scorer: lambda lda, X: topic_coherence(lda.components_, X),
    u_mass_scorer: lambda lda, X: topic_coherence(lda.components_, X, measure="u_mass"),
    c_v_scorer: lambda lda, X: topic_coherence(lda.components_, X, measure="c_v"),
    topic_diversity_scorer: lambda lda, X: topic_diversity(lda.components_),
}


@pytest.mark.parametrize("scorer", SCORERS)
def test_scorers_in_grid_search(counts, scorer):
    train, test = np.arange(80), np.arange(80, 120)
    search = GridSearchCV(
        LatentDirichletAllocation(max_iter=3, random_state=0),
        {"n_components": [2, 4]},
        scoring=scorer,
        cv=[(train, test)],
        error_score="raise",
        n_jobs=2,
    ).fit(sparse.csr_matrix(counts))
    lda = LatentDirichletAllocation(4, max_iter=3, random_state=0).fit(counts[train])
    expected = SCORERS[scorer](lda, counts[test])
    assert_allclose(search.cv_results_["mean_test_score"][1], expected)
    assert search.cv_results_["mean_test_score"][0] != expected


@pytest.mark.parametrize("scorer", SCORERS)
def test_scorers_of_a_pipeline_score_its_last_step(scorer):
    texts = ["red green blue red pink grey", "one two three two four five"] * 5
    pipeline = make_pipeline(
        CountVectorizer(), LatentDirichletAllocation(2, random_state=0)
    ).fit(texts)
    expected = SCORERS[scorer](pipeline[-1], pipeline[:-1].transform(texts))
    assert_allclose(scorer(pipeline, texts), expected)
    alone = make_pipeline(pipeline[-1])
    assert_allclose(scorer(alone, pipeline[:-1].transform(texts)), expected)


def test_several_scorers_at_once(counts):
    lda = LatentDirichletAllocation(3, max_iter=2, random_state=0)
    scoring = {"npmi": npmi_scorer, "diversity": topic_diversity_scorer}
    results = cross_validate(lda, counts, scoring=scoring, cv=2, error_score="raise")
    assert results["test_npmi"].shape == results["test_diversity"].shape == (2,)


@pytest.mark.parametrize("scorer", SCORERS)
def test_scorers_pickle(scorer):
    assert pickle.loads(pickle.dumps(scorer)) is scorer


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
        (lambda: completion_split([[1, 0.5]]), "integer counts"),
        (lambda: completion_split([[1, np.inf]]), "infinity"),
        (lambda: held_out_perplexity([[1]], [[1, 1]], [[0, 0]]), "no words"),
        (
            lambda: held_out_perplexity([[1, 0]], [[1, 1]], [[1, 0]]),
            "doc_topic must be",
        ),
        (
            lambda: held_out_perplexity([[1], [0]], [[1, 1]], [[1, 0]] * 2),
            "Row 1 of doc_topic",
        ),
        (lambda: held_out_perplexity([[1]], [[0, 0]], [[1, 0]]), "Row 0 of topic_word"),
    ],
)
def test_bad_input_names_the_cause(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_metrics_need_neither_torch_nor_pyro():
    code = (
        "import sys, sklearn_amortlda.metrics; "
        "assert not {'torch', 'pyro'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
