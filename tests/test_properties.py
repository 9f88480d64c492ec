"""Properties that hold for any counts, priors, containers and dtypes."""

import copy
import hashlib

import joblib
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_amortlda import AmortizedLDA

N_WORDS = 12
CONTAINERS = [
    np.asarray,
    sparse.csr_matrix,
    sparse.csr_array,
    sparse.csc_matrix,
    sparse.coo_matrix,
]
DTYPES = [np.float64, np.float32, np.int64, np.int32, np.uint8]

settings.register_profile(
    "reproducible", deadline=None, derandomize=True, max_examples=20, database=None
)
settings.load_profile("reproducible")


def seeded_counts(seed, n_samples):
    """Counts with empty rows, long rows and words that are in no document."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.3, 3.0, (n_samples, N_WORDS))
    return rng.poisson(rates * (rng.random((n_samples, 1)) < 0.8)).clip(max=200)


counts = st.builds(seeded_counts, st.integers(0, 2**32 - 1), st.integers(1, 40))


def fit(objective, alpha=0.3, eta=0.1, n_topics=3):
    X = np.random.default_rng(0).poisson(1.0, (60, N_WORDS))
    return AmortizedLDA(
        n_topics,
        doc_topic_prior=alpha,
        topic_word_prior=eta,
        objective=objective,
        hidden_layer_sizes=(8,),
        batch_size=20,
        max_iter=2,
        random_state=0,
        device="cpu",
    ).fit(X)


MODELS = [
    fit("completion", alpha="auto"),
    fit("bound"),
    fit("completion", alpha=[0.01, 1.0, 30.0]),
    fit("sampled", alpha=1e-3, n_topics=1),
    fit("logistic_normal", eta=np.linspace(0.01, 2.0, N_WORDS), n_topics=20),
]
models = st.sampled_from(MODELS)


@pytest.mark.slow
@given(models, counts, st.integers(0, 40))
def test_score_is_additive_over_any_split_of_the_documents(lda, X, split):
    parts = [part for part in (X[:split], X[split:]) if len(part)]
    assert_allclose(sum(map(lda.score, parts)), lda.score(X), rtol=1e-12)
    each = [lda.score(X[i : i + 1]) for i in range(len(X))]
    assert_allclose(sum(each), lda.score(X), rtol=1e-12)


@given(models, counts, st.randoms(use_true_random=False))
def test_permuting_documents_permutes_the_rows(lda, X, random):
    order = random.sample(range(len(X)), len(X))
    assert_allclose(lda.score(X[order]), lda.score(X), rtol=1e-6)
    assert_array_equal(lda.transform(X[order]), lda.transform(X)[order])


@given(models, counts.filter(np.any), st.integers(2, 4))
def test_perplexity_does_not_depend_on_the_number_of_documents(lda, X, times):
    perplexity = lda.perplexity(X)
    assert_allclose(lda.perplexity(np.tile(X, (times, 1))), perplexity, rtol=1e-6)
    padded = np.vstack([X, np.zeros_like(X)])
    assert_allclose(lda.perplexity(padded), perplexity, rtol=1e-6)
    assert_allclose(perplexity, np.exp(-lda.score(X) / X.sum()), rtol=1e-12)
    assert perplexity >= 1


@given(models, counts)
def test_empty_documents_have_the_prior_mean_and_probability_one(lda, X):
    X[::2] = 0
    alpha = lda.doc_topic_prior_
    theta = lda.transform(X)[::2]
    assert_allclose(theta, np.tile(alpha / alpha.sum(), (len(theta), 1)), rtol=1e-5)
    assert abs(lda.score(X[::2])) < 1e-5 * len(theta)


@given(models, counts, st.randoms(use_true_random=False))
def test_duplicate_entries_are_summed(lda, X, random):
    whole = sparse.coo_array(X)
    share = np.array([random.randint(0, int(count)) for count in whole.data])
    order = random.sample(range(2 * whole.nnz), 2 * whole.nnz)
    row, column = (np.tile(i, 2)[order] for i in (whole.row, whole.col))
    data = np.concatenate([share, whole.data - share])[order]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(X)))])
    by_row = np.argsort(row, kind="stable")
    parts = sparse.csr_array((data[by_row], column[by_row], indptr), shape=X.shape)
    assert_array_equal(lda.transform(parts), lda.transform(X))
    assert lda.score(parts) == lda.score(X)


@given(models, counts, st.sampled_from(CONTAINERS), st.sampled_from(DTYPES))
def test_containers_and_dtypes_agree_and_rows_are_on_the_simplex(
    lda, X, container, dtype
):
    theta = lda.transform(container(X.astype(dtype)))
    assert theta.dtype == (np.float32 if dtype == np.float32 else np.float64)
    assert theta.shape == (len(X), lda.n_components)
    assert theta.min() >= 0
    assert_allclose(theta.sum(axis=1), 1.0, rtol=1e-6)
    # For float32 the mean is computed in float32.
    assert_allclose(theta, lda.transform(X), rtol=1e-6 if dtype == np.float32 else 0)


def digest(X):
    arrays = (X.data, X.indices, X.indptr) if sparse.issparse(X) else (X,)
    return [hashlib.sha256(array.tobytes()).hexdigest() for array in arrays]


@given(counts.filter(np.any), st.sampled_from(CONTAINERS[:4]), st.sampled_from(DTYPES))
@settings(max_examples=10)
def test_no_method_changes_x(X, container, dtype):
    X = container(X.astype(dtype))
    before = digest(X), joblib.hash(X)
    lda = copy.deepcopy(MODELS[0]).set_params(warm_start=True, max_iter=1)
    for method in ("fit", "partial_fit", "transform", "score", "perplexity"):
        getattr(lda, method)(X)
        assert (digest(X), joblib.hash(X)) == before, method


def test_no_method_changes_a_matrix_that_is_not_canonical():
    data, indices = np.array([3.0, 1.0, 0.0, 2.0]), np.array([5, 2, 2, 5])
    X = sparse.csr_matrix((data, indices, np.array([0, 4])), shape=(1, N_WORDS))
    before = digest(X), joblib.hash(X)
    for method in ("transform", "score", "perplexity", "fit"):
        getattr(copy.deepcopy(MODELS[0]), method)(X)
        assert (digest(X), joblib.hash(X)) == before, method


@given(models, counts, st.randoms(use_true_random=False))
def test_permuting_words_and_topics_alike_changes_nothing(lda, X, random):
    order = random.sample(range(N_WORDS), N_WORDS)
    permuted = copy.deepcopy(lda)
    permuted.components_ = lda.components_[:, order]
    permuted.topic_word_ = lda.topic_word_[:, order]
    permuted._encoder_weights["embedding"] = lda._encoder_weights["embedding"][order]
    # Sums in another order differ by rounding in float32.
    assert_allclose(
        permuted.transform(X[:, order]), lda.transform(X), rtol=1e-3, atol=1e-5
    )
    assert_allclose(permuted.score(X[:, order]), lda.score(X), rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:Training ended with a bound")
@given(
    st.floats(1e-3, 50.0),
    st.floats(1e-3, 5.0),
    st.sampled_from(["completion", "bound", "sampled", "logistic_normal"]),
    st.integers(1, 15),
    counts.filter(np.any),
)
@settings(max_examples=15)
def test_any_prior_and_counts_give_a_usable_model(alpha, eta, objective, k, X):
    lda = AmortizedLDA(
        k,
        doc_topic_prior=alpha,
        topic_word_prior=eta,
        objective=objective,
        hidden_layer_sizes=(5,),
        batch_size=7,
        max_iter=2,
        random_state=0,
        device="cpu",
    )
    theta = lda.fit_transform(X)
    assert_allclose(theta.sum(axis=1), 1.0, rtol=1e-6)
    assert lda.components_.min() > 0
    assert_allclose(lda.topic_word_.sum(axis=1), 1.0, rtol=1e-5)
    assert np.isfinite(lda.bound_) and lda.bound_ < lda.score(X) <= 0
    # lambda is the prior plus expected counts.
    assert (lda.components_ >= np.float32(eta) * (1 - 1e-4)).all()


@given(models, counts, st.data())
def test_weighted_score_and_perplexity_are_those_of_repeated_documents(lda, X, data):
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(X), max_size=len(X)))
    assume(any(weights))
    repeated = np.repeat(X, weights, axis=0)
    weighted = lda.score(X, sample_weight=weights)
    assert_allclose(weighted, lda.score(repeated), rtol=1e-9, atol=1e-9)
    if repeated.any():
        weighted = lda.perplexity(X, sample_weight=weights)
        assert_allclose(weighted, lda.perplexity(repeated), rtol=1e-9)
