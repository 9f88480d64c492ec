"""Encoders besides the default one, and word vectors to begin with."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from small import F64, dense, encoder_weights, one_batch
from test_isolation import global_state, use
from torch import nn
from torch.autograd import gradcheck

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda._encoder import initial_weights, load_encoder
from sklearn_amortlda._transformer import Attention
from sklearn_amortlda.metrics import document_completion_perplexity


class Noisy(nn.Module):
    """Draws at its start and in training, and has buffers."""

    def __init__(self, n_features, n_hidden):
        super().__init__()
        self.first = nn.Linear(n_features, n_hidden)
        self.norm = nn.BatchNorm1d(n_hidden)
        self.dropout = nn.Dropout(0.3)

    def forward(self, X):
        return self.dropout(torch.relu(self.norm(self.first(torch.log1p(X)))))


class Tied(nn.Module):
    """Shares one weight between two parts, and keeps another as it is."""

    def __init__(self, n_features, n_hidden):
        super().__init__()
        self.words = nn.Linear(n_features, n_hidden)
        self.frozen = nn.Linear(n_hidden, n_hidden).requires_grad_(False)
        self.one = nn.Linear(n_hidden, n_hidden)
        self.other = self.one

    def forward(self, X):
        return self.other(torch.relu(self.one(self.frozen(self.words(X)))))


def lazy(n_features, n_hidden):
    """Knows the number of words only when it has seen a document."""
    return nn.Sequential(Dense(), nn.LazyLinear(n_hidden), nn.Softplus())


class Dense(nn.Module):
    """Counts as a dense matrix."""

    def forward(self, X):
        return X.to_dense()


def blind(n_features, n_hidden):
    """Sees no words."""
    return nn.Sequential(Dense(), Times(0.0), nn.Linear(n_features, n_hidden))


class Times(nn.Module):
    """Counts times a number."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, X):
        return self.factor * X


class Share(nn.Module):
    """Divides by the length of a document: not a number where that is zero."""

    def __init__(self, n_features, n_hidden):
        super().__init__()
        self.linear = nn.Linear(n_features, n_hidden)

    def forward(self, X):
        X = X.to_dense()
        return self.linear(X / X.sum(1, keepdim=True))


ENCODERS = ["mlp", "transformer", Noisy, Tied, lazy]


def lda(**parameters):
    settings = {"n_components": 3, "max_iter": 2, "hidden_layer_sizes": (8, 6)}
    settings |= {"random_state": 0, "device": "cpu", "batch_size": 100}
    return AmortizedLDA(**{**settings, **parameters})


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# -- the transformer ------------------------------------------------------------------


def test_attention_is_a_softmax_over_the_words_of_a_document(rng):
    X = rng.poisson(0.7, (6, 9))
    X[1] = 0
    X[2] = 5 * np.eye(9)[3]
    batch = one_batch(X)
    counts = dense(batch)
    queries = torch.tensor(rng.normal(size=(6, 4)), requires_grad=True)
    rows = torch.tensor(rng.normal(size=(counts.shape[1], 4)), requires_grad=True)

    def attention(queries, rows):
        return Attention.apply(queries, rows, torch.log1p(batch.counts), batch)

    found = attention(queries, rows).detach().numpy()
    shares = np.log1p(counts) * np.exp((queries @ rows.T).detach().numpy())
    total = shares.sum(axis=1, keepdims=True)
    shares = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    assert_allclose(found, shares @ rows.detach().numpy(), atol=1e-14)
    assert (total == 0).sum() == 1
    assert gradcheck(attention, (queries, rows))


def test_attention_with_large_logits_is_finite(rng):
    batch = one_batch(rng.poisson(1.0, (5, 8)))
    queries = torch.tensor(1e4 * rng.normal(size=(5, 4)))
    rows = torch.tensor(rng.normal(size=(batch.shape[1], 4)))
    seen = Attention.apply(queries, rows, batch.counts, batch)
    # So sure of one word that it is that word's row.
    distance = np.abs(seen.numpy()[:, None] - rows.numpy()).max(axis=2).min(axis=1)
    assert_allclose(distance, 0, atol=1e-12)


def test_transformer_gradients(rng):
    weights = encoder_weights(10, 4, rng, kind="transformer")
    encoder = load_encoder(weights, kind="transformer", training=True, **F64)
    batch = one_batch(rng.poisson(0.7, (7, 10)))
    rows = torch.tensor(weights["words"])[batch.vocabulary].requires_grad_()
    parameters = [rows, *encoder.parameters()]
    cotangent = torch.tensor(rng.normal(size=(7, 4)))

    def value():
        return (cotangent * encoder(batch, rows)).sum()

    gradients = torch.autograd.grad(value(), parameters)
    for parameter, gradient in zip(parameters, gradients):
        direction = torch.tensor(rng.normal(size=parameter.shape))
        values = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                parameter += step * direction
                values.append(value())
                parameter -= step * direction
        slope = (gradient * direction).sum()
        assert_allclose(
            (values[0] - values[1]) / 2e-5, slope.detach(), rtol=1e-5, atol=1e-6
        )


def test_transformer_weighs_a_word_by_its_company(rng):
    # Without attention, hidden units of the sum of two documents' words are those of
    # the sum of their bags; the question is whether the context has a say.
    X = np.eye(10)[[0, 1]] + np.eye(10)[[5, 5]]
    weights = encoder_weights(10, 4, rng, kind="transformer")
    weights["words"] *= 40
    body = load_encoder(weights, kind="transformer", training=False, **F64).body
    batch = one_batch(X)
    rows = torch.tensor(weights["words"])[batch.vocabulary]
    asked = body.queries[0](torch.tensor(rng.normal(size=(2, 7))))
    seen = Attention.apply(asked, rows, batch.counts, batch)
    mean = torch.tensor(dense(batch)) @ rows / 2
    assert (seen - mean).abs().max() > 0.1


# -- all of them ----------------------------------------------------------------------


@pytest.mark.parametrize("encoder", ENCODERS)
def test_two_fits_are_equal_and_pickles_answer_alike(corpus, encoder):
    fitted = lda(encoder=encoder).fit(corpus)
    again = clone(fitted).fit(corpus)
    theta = fitted.transform(corpus)
    assert_array_equal(again.transform(corpus), theta)
    for copied in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        assert_array_equal(copied.transform(corpus), theta)
        assert copied.score(corpus) == fitted.score(corpus)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_rows_do_not_depend_on_one_another(corpus, encoder):
    fitted = lda(encoder=encoder, refine=0).fit(corpus)
    X = corpus[:40].toarray()
    X[3] = 0
    X[7] = np.eye(60)[2]
    theta = fitted.transform(X)
    each = [fitted.transform(X[i : i + 1])[0] for i in range(X.shape[0])]
    if isinstance(encoder, str):
        assert_array_equal(each, theta)
    else:  # torch's sparse products round one way or another
        assert_allclose(each, theta, rtol=1e-5)
    prior = fitted.doc_topic_prior_
    assert_allclose(theta[3], prior / prior.sum(), rtol=1e-6)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_two_epochs_and_two_more_are_four(corpus, encoder):
    power = {"encoder": encoder, "learning_schedule": "power"}
    once = lda(max_iter=4, **power).fit(corpus)
    twice = lda(max_iter=2, warm_start=True, **power).fit(corpus)
    twice = pickle.loads(pickle.dumps(twice)).fit(corpus)
    assert_array_equal(twice.components_, once.components_)
    assert_array_equal(twice.transform(corpus), once.transform(corpus))


@pytest.mark.parametrize("encoder", ["transformer", Noisy])
def test_other_encoders_learn(corpus, encoder):
    # The topics and alpha are as good with an encoder that sees nothing, thanks to
    # refine_fit: it takes an encoder to predict words without refinement.
    settings = {"n_components": 5, "max_iter": 20, "learning_rate_init": 0.02}
    perplexities = [
        document_completion_perplexity(fitted.set_params(refine=0), corpus)
        for fitted in (lda(encoder=e, **settings).fit(corpus) for e in (encoder, blind))
    ]
    assert perplexities[0] < 0.7 * perplexities[1]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_state_is_numpy(corpus, encoder):
    fitted = lda(encoder=encoder).fit(corpus)
    arrays = {**fitted._encoder_weights, **fitted._optimizer_state}
    assert all(type(value) is np.ndarray for value in arrays.values())
    fitted.encoder = None  # the callable itself may be of torch's making
    assert b"torch" not in pickle.dumps(fitted)


@pytest.mark.parametrize("fitted_with", ENCODERS[:3])
@pytest.mark.parametrize("other", ENCODERS[:4])
def test_another_encoder_than_the_fitted_is_refused(corpus, fitted_with, other):
    if other == fitted_with:
        return
    fitted = lda(encoder=fitted_with, warm_start=True).fit(corpus)
    theta = fitted.transform(corpus)
    fitted.set_params(encoder=other)
    for method in (fitted.transform, fitted.fit, fitted.partial_fit):
        with pytest.raises(ValueError, match="does not go with the weights fitted"):
            method(corpus)
    fitted.set_params(encoder=fitted_with)
    assert_array_equal(fitted.transform(corpus), theta)


def test_encoder_is_a_parameter_to_search_over(corpus):
    encoders = ["mlp", "transformer", Noisy]
    search = GridSearchCV(lda(), {"encoder": encoders}, cv=2, error_score="raise")
    search.fit(corpus)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(set(search.cv_results_["mean_test_score"])) == 3
    assert "Noisy" in lda(encoder=Noisy)._repr_html_()


# -- modules of the user's ------------------------------------------------------------


@pytest.mark.parametrize("encoder", [Noisy, lazy])
def test_custom_leaves_no_trace(corpus, encoder):
    before = global_state()
    use(lda(encoder=encoder), corpus)
    assert global_state() == before


class Failing(Noisy):
    """Fails in the middle of a draw."""

    def forward(self, X):
        torch.rand(3)
        if self.training:
            raise RuntimeError("out of order")
        return super().forward(X)


def no_module(n_features, n_hidden):
    """Builds a function."""
    torch.rand(3)
    return torch.relu


def narrow(n_features, n_hidden):
    """Builds a module of half the width asked for."""
    return nn.Linear(n_features, n_hidden // 2)


@pytest.mark.parametrize(
    "encoder, error, message",
    [
        (Failing, RuntimeError, "out of order"),
        (no_module, TypeError, r"encoder\(n_features, n_hidden\) must return"),
        (nn.Linear(60, 6), TypeError, "encoder is a module"),
        (narrow, ValueError, r"encoder's module returned .*\(2, 6\)"),
        (Share, ValueError, "encoder's module returned NaN .*without words"),
        ("cnn", ValueError, "encoder"),
    ],
)
def test_faults_are_named_and_leave_no_trace(corpus, encoder, error, message):
    before = global_state()
    estimator = lda(encoder=encoder)
    with pytest.raises(error, match=message):
        estimator.fit(corpus)
    assert global_state() == before
    assert not hasattr(estimator, "components_")


def test_nan_in_training_is_told(corpus):
    class Diverging(Noisy):
        def forward(self, X):
            return super().forward(X) / (0.0 if self.training else 1.0)

    with pytest.raises(ValueError, match=r"NaN or infinity.*lower learning_rate_init"):
        lda(encoder=Diverging).fit(corpus)


def test_custom_fits_in_threads_equal_fits_in_turn(corpus):
    expected = [lda(encoder=Noisy, random_state=s).fit(corpus) for s in range(4)]
    with ThreadPoolExecutor(4) as threads:
        fits = [
            threads.submit(lda(encoder=Noisy, random_state=s).fit, corpus)
            for s in range(4)
        ]
    for one, fit in zip(expected, fits):
        assert_array_equal(fit.result().components_, one.components_)
    assert not np.array_equal(expected[0].components_, expected[1].components_)


@pytest.mark.parametrize(
    "surroundings", [torch.inference_mode, lambda: torch.device("meta")]
)
def test_surroundings_do_not_matter_to_a_custom_encoder(corpus, surroundings):
    expected = lda(encoder=Noisy).fit(corpus)
    with surroundings():
        found = lda(encoder=Noisy).fit(corpus)
        theta = found.transform(corpus)
    assert_array_equal(theta, expected.transform(corpus))


def test_buffers_shared_and_frozen_weights_survive_training(corpus):
    weights = lda(encoder=Noisy).fit(corpus)._encoder_weights
    assert weights["body.module.norm.num_batches_tracked"] > 0
    fits = [lda(encoder=Tied, max_iter=n, warm_start=True) for n in (1, 3)]
    few, many = (fit.fit(corpus).fit(corpus)._encoder_weights for fit in fits)
    for shared in ("one", "other"):
        name = f"body.module.{shared}.weight"
        assert_array_equal(many[name], many["body.module.one.weight"])
        assert np.abs(many[name] - few[name]).max() > 1e-4
    frozen = "body.module.frozen.weight"
    assert_array_equal(many[frozen], few[frozen])


def test_random_state_seeds_the_module(corpus):
    one, same, other = (
        lda(encoder=Noisy, max_iter=1, learning_rate_init=1e-30, random_state=seed)
        .fit(corpus)
        ._encoder_weights["body.module.first.weight"]
        for seed in (0, 0, 1)
    )
    assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.01


# -- word vectors ---------------------------------------------------------------------


def weights_from(vectors, **options):
    """An untrained encoder of 60 words and 3 topics."""
    rng = np.random.default_rng(1)
    return initial_weights(
        np.full(60, True), (8, 6), 3, rng, word_vectors=vectors, **options
    )


@pytest.mark.parametrize("kind", ["mlp", "transformer"])
@pytest.mark.parametrize("n_dims", [8, 3, 20])
def test_rows_begin_with_word_vectors(rng, kind, n_dims):
    vectors = rng.normal(size=(60, n_dims))
    vectors[1] = vectors[0]
    vectors[2] = -2 * vectors[0]
    vectors[3], vectors[4] = 0, np.nan
    random, begun = (weights_from(v, kind=kind) for v in (None, vectors))
    rows = begun.pop("words")
    assert_array_equal(rows[[3, 4]], random["words"][[3, 4]])
    assert_allclose(rows[1], rows[0], rtol=1e-5)
    assert_allclose(rows[2], -2 * rows[0], rtol=1e-5)
    known = np.arange(60) > 4
    assert_allclose(np.std(rows[known]), np.std(random["words"]), rtol=0.2)
    if n_dims == 8:
        ratio = rows[known] / vectors[known]
        assert_allclose(ratio, ratio[0, 0], rtol=1e-5)
    for name, value in begun.items():
        assert_array_equal(value, random[name])


@pytest.mark.parametrize(
    "vectors, message",
    [
        (np.ones((59, 4)), r"word_vectors has shape \(59, 4\).*60"),
        (np.ones(60), r"word_vectors has shape \(60,\)"),
        (np.full((60, 4), np.inf), "word_vectors contains NaN or infinity"),
        (np.where(np.eye(60, 4) > 0, np.nan, 1.0), "word_vectors contains NaN"),
        (np.zeros((60, 4)), "word_vectors has a vector for no word"),
    ],
)
def test_bad_word_vectors_are_refused(corpus, vectors, message):
    with pytest.raises(ValueError, match=message):
        lda(word_vectors=vectors).fit(corpus)


def test_word_vectors_need_a_table(corpus):
    with pytest.raises(ValueError, match="word_vectors are for encoder="):
        lda(encoder=Noisy, word_vectors=np.ones((60, 4))).fit(corpus)
