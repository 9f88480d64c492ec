"""Labels as words: what they change in a fit, and what they do not."""

import pickle

import numpy as np
import pytest
from conftest import small_estimator
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, vstack
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_amortlda import SKOPS_TRUSTED, AmortizedLDA
from sklearn_amortlda.inspection import merge_topics, prune_topics

FITTED = (
    "components_",
    "topic_word_",
    "topic_label_",
    "label_exponent_",
    "doc_topic_prior_",
    "classes_",
)


@pytest.fixture(scope="module")
def y(corpus):
    """A class for each document, by the words of its largest topic."""
    return np.array(["first", "second", "third"])[
        corpus.toarray()[:, :30].argmax(axis=1) % 3
    ]


def assert_equal_models(one, other):
    for name in FITTED:
        assert_array_equal(getattr(one, name), getattr(other, name))


def two_factors(n_samples, seed):
    """Documents whose words depend on a strong factor and, weakly, on their class."""
    rng = np.random.default_rng(seed)
    strong, weak = rng.integers(0, 2, (2, n_samples))
    p = np.full((2, 2, 40), 1.0)
    p[0, :, :10], p[1, :, 10:20] = 12.0, 12.0
    p[:, 0, 20:30], p[:, 1, 30:] = 2.5, 2.5
    p /= p.sum(axis=-1, keepdims=True)
    X = [rng.multinomial(80, p[s, w]) for s, w in zip(strong, weak)]
    return csr_array(np.array(X)), weak


def test_labels_are_ignored_without_a_weight(corpus, y):
    plain = small_estimator().fit(corpus)
    other = small_estimator().fit(corpus, y)
    assert_array_equal(plain.components_, other.components_)
    assert not hasattr(other, "classes_")
    with pytest.raises(ValueError, match="fitted without labels"):
        other.label_proba(corpus)


@pytest.mark.parametrize(
    "objective", ["completion", "bound", "sampled", "logistic_normal"]
)
def test_attributes_of_words_have_no_columns_of_labels(corpus, y, objective):
    lda = small_estimator(label_weight=0.5, objective=objective).fit(corpus, y)
    assert_array_equal(lda.classes_, ["first", "second", "third"])
    assert lda.n_features_in_ == 60
    assert lda.components_.shape == lda.topic_word_.shape == (5, 60)
    assert lda.topic_label_.shape == (5, 3)
    for rows in (lda.topic_word_, lda.topic_label_, lda.label_proba(corpus)):
        assert_allclose(rows.sum(axis=1), 1, rtol=1e-5)
    assert lda.transform(corpus).shape == (300, 5)
    # `bound_` and `score` are those of the words.
    assert lda.bound_ < lda.score(corpus) < 0.8 * lda.bound_


def test_topics_follow_the_classes_where_words_alone_do_not():
    X, y = two_factors(1500, seed=0)
    unseen, expected = two_factors(1500, seed=1)
    settings = {"n_components": 2, "max_iter": 20}

    def accuracy(lda):
        classifier = LogisticRegression().fit(lda.transform(X), y)
        return classifier.score(lda.transform(unseen), expected)

    assert accuracy(small_estimator(**settings).fit(X)) < 0.65
    supervised = small_estimator(**settings, label_weight=2.0).fit(X, y)
    assert accuracy(supervised) > 0.85


def test_probabilities_of_labels_are_calibrated():
    X, y = two_factors(1500, seed=0)
    unseen, expected = two_factors(3000, seed=1)
    lda = small_estimator(n_components=6, max_iter=20, label_weight=1.0).fit(X, y)
    proba = lda.label_proba(unseen)
    assert np.mean(proba.argmax(axis=1) == expected) > 0.8
    # A document's label is more certain than one token of a label.
    assert lda.label_exponent_ > 1.5
    tokens = lda.transform(unseen) @ lda.topic_label_
    assert log_loss(expected, proba) < 0.9 * log_loss(expected, tokens)
    confidence = proba.max(axis=1).mean()
    assert abs(confidence - np.mean(proba.argmax(axis=1) == expected)) < 0.05


@pytest.mark.parametrize("kind", ["mlp", "transformer", "module"])
def test_encoder_reads_no_labels(corpus, y, kind):
    import torch

    widths = []

    class Module(torch.nn.Module):
        def __init__(self, n_features, n_hidden):
            super().__init__()
            self.linear = torch.nn.Linear(n_features, n_hidden)

        def forward(self, X):
            widths.append(X.shape[1])
            return self.linear(X.to_dense())

    encoder = Module if kind == "module" else kind
    lda = small_estimator(label_weight=0.5, encoder=encoder).fit(corpus, y)
    weights = lda._encoder_weights
    assert len(weights.get("embedding", weights.get("body.module.linear.weight"))) in (
        60,
        16,
    )
    assert set(widths) <= {60}
    assert np.isfinite(lda.transform(corpus)).all()


def test_documents_without_labels_train_the_topics(corpus, y):
    some = y.astype(object)
    some[::2] = None
    lda = small_estimator(label_weight=0.5).fit(corpus, some)
    labelled = small_estimator(label_weight=0.5).fit(corpus[1::2], y[1::2])
    assert_array_equal(lda.classes_, labelled.classes_)
    assert lda.components_.sum() > 1.7 * labelled.components_.sum()


def test_several_labels_of_a_document(corpus):
    words = corpus.toarray()
    Y = np.stack([words[:, :20].any(axis=1), words[:, 20:40].any(axis=1)], axis=1)
    lda = small_estimator(label_weight=0.5, max_iter=10).fit(corpus, Y.astype(int))
    assert_array_equal(lda.classes_, [0, 1])
    shares = Y / Y.sum(axis=1, keepdims=True).clip(1)
    error = abs(lda.label_proba(corpus) - shares)[Y.any(axis=1)].mean()
    assert error < 0.2


def test_warm_start_equals_one_long_fit(corpus, y):
    settings = {"label_weight": 0.5, "learning_schedule": "power"}
    once = small_estimator(**settings, max_iter=4).fit(corpus, y)
    twice = small_estimator(**settings, max_iter=2, warm_start=True)
    assert_equal_models(twice.fit(corpus, y).fit(corpus, y), once)


def test_stream_of_labelled_chunks(corpus, y):
    lda = small_estimator(label_weight=0.5, total_samples=300)
    with pytest.raises(ValueError, match="classes must be passed in the first call"):
        lda.partial_fit(corpus, y)
    lda.partial_fit(corpus[:100], y[:100], classes=["third", "second", "first"])
    lda.partial_fit(corpus[100:200], y[100:200])
    before = lda.topic_label_
    with pytest.raises(ValueError, match="which is not among"):
        lda.partial_fit(corpus[200:], np.full(100, "fourth"))
    with pytest.raises(ValueError, match="not those of the earlier fit"):
        lda.partial_fit(corpus[200:], y[200:], classes=["first"])
    assert lda.topic_label_ is before
    # A chunk without labels.
    lda.partial_fit(corpus[200:])
    assert_array_equal(lda.classes_, ["first", "second", "third"])
    assert lda.topic_label_.shape == (5, 3)


def test_new_words_come_before_the_labels(corpus, y):
    words = np.array([f"word{v:02d}" for v in range(60)], dtype=object)
    lda = small_estimator(label_weight=0.5, total_samples=300)
    some = {"feature_names": words[:40], "classes": np.unique(y)}
    lda.partial_fit(corpus[:150, :40], y[:150], **some)
    labels = lda._label_components
    lda.partial_fit(corpus[150:], y[150:], feature_names=words)
    assert lda.components_.shape == (5, 60)
    assert lda._label_components.shape == labels.shape == (5, 3)
    assert_array_equal(lda.feature_names_in_, words)
    # The rows of the new words have left the prior.
    assert (lda.components_[:, 40:] > 0.03).any()


def test_labels_of_a_later_fit(corpus, y):
    lda = small_estimator(warm_start=True).fit(corpus)
    lda.set_params(label_weight=0.5).fit(corpus, y)
    assert lda.topic_label_.shape == (5, 3)
    labels = lda.topic_label_
    # Without a weight y is ignored, and the labels decay only.
    lda.set_params(label_weight=0.0).fit(corpus)
    assert lda.topic_label_.shape == labels.shape
    assert lda.components_.shape == (5, 60)


@pytest.mark.parametrize("shape", [(60,), (5, 60)])
def test_prior_with_a_value_for_each_word(corpus, y, shape):
    prior = np.random.default_rng(0).uniform(0.02, 0.05, shape)
    lda = small_estimator(
        label_weight=0.5, topic_word_prior=prior, warm_start=True
    ).fit(corpus, y)
    assert_array_equal(lda.topic_word_prior_, prior)
    lda.fit(corpus, y)
    assert_array_equal(lda.topic_word_prior_, prior)


def test_saved_models_are_equal(corpus, y):
    sio = pytest.importorskip("skops.io")
    lda = small_estimator(label_weight=0.5).fit(corpus, y)
    for loaded in (
        pickle.loads(pickle.dumps(lda)),
        sio.loads(sio.dumps(lda), trusted=SKOPS_TRUSTED),
    ):
        assert_equal_models(loaded, lda)
        assert_array_equal(loaded.label_proba(corpus), lda.label_proba(corpus))
        for model in (loaded, clone(lda).fit(corpus, y)):
            model.set_params(warm_start=True).fit(corpus, y)
        assert loaded.components_.shape == (5, 60)


def test_interrupted_fit_continues_from_its_checkpoint(corpus, y, tmp_path):
    path = tmp_path / "fit.npz"
    settings = {"label_weight": 0.5, "early_stopping": True, "max_iter": 4}
    whole = small_estimator(**settings).fit(corpus, y)

    class Killed(BaseException):
        pass

    class Training:
        epochs = 0

    from sklearn_amortlda.training.loop import Training as Loop

    train = Loop._train

    def killed_in_the_third_epoch(self):
        Training.epochs += 1
        if Training.epochs == 3:
            raise Killed
        return train(self)

    lda = small_estimator(**settings, checkpoint=path)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Loop, "_train", killed_in_the_third_epoch)
        lda.fit(corpus, y)
    with pytest.raises(ValueError, match="another fit, which differs in X"):
        small_estimator(**settings, checkpoint=path).fit(corpus, y[::-1])
    assert_equal_models(lda.fit(corpus, y), whole)


def test_weights_of_documents_weigh_their_labels(corpus, y):
    weights = np.ones(300)
    weights[y == "third"] = 0
    lda = small_estimator(label_weight=0.5).fit(corpus, y, sample_weight=weights)
    # Classes are those of y, and documents of weight 0 have no effect.
    assert lda.topic_label_[:, 2].max() < 0.01


def test_grid_search_over_the_weight():
    X, y = two_factors(600, seed=0)
    pipeline = make_pipeline(
        small_estimator(n_components=2, max_iter=10), LogisticRegression()
    )
    search = GridSearchCV(pipeline, {"amortizedlda__label_weight": [0.0, 2.0]}, cv=2)
    assert search.fit(X, y).best_params_ == {"amortizedlda__label_weight": 2.0}


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (None, "label_weight needs the labels"),
        (np.zeros(299), "y has 299 labels, and X has 300 documents"),
        (np.linspace(0, 1, 300), "is no class"),
    ],
)
def test_invalid_labels_keep_the_fit(corpus, y, labels, match):
    lda = small_estimator(label_weight=0.5).fit(corpus, y)
    before = vars(lda).copy()
    with pytest.raises(ValueError, match=match):
        lda.fit(corpus, labels)
    assert vars(lda) == before or all(vars(lda)[k] is v for k, v in before.items())


@pytest.mark.parametrize("weight", [-0.1, np.nan, "0.5", 1e7])
def test_invalid_weight_raises(corpus, y, weight):
    with pytest.raises(ValueError, match="label_weight"):
        small_estimator(label_weight=weight).fit(corpus, y)


def test_empty_documents_may_have_labels(corpus, y):
    X = vstack([corpus, csr_array((3, 60))])
    with_empty = small_estimator(label_weight=0.5).fit(X, [*y, "first", "third", None])
    assert_equal_models(with_empty, small_estimator(label_weight=0.5).fit(corpus, y))
    assert_allclose(with_empty.label_proba(X)[-1].sum(), 1, rtol=1e-6)


def test_pruned_and_merged_models_keep_the_labels_of_their_topics(corpus, y):
    lda = small_estimator(label_weight=0.5).fit(corpus, y)
    pruned = prune_topics(lda, [3, 1])
    assert_array_equal(pruned.topic_label_, lda.topic_label_[[3, 1]])
    merged = merge_topics(lda, [[0, 2, 4]])
    sums = lda._label_components[[0, 2, 4]].sum(axis=0)
    assert_allclose(merged.topic_label_[0], sums / sums.sum())
    assert_array_equal(merged.topic_label_[1:], lda.topic_label_[[1, 3]])
    for model in (pruned, merged):
        assert_allclose(model.label_proba(corpus).sum(axis=1), 1.0, rtol=1e-6)
        model.partial_fit(corpus, y)


def test_estimator_stays_a_transformer():
    from sklearn.base import is_classifier

    assert not is_classifier(AmortizedLDA(label_weight=0.5))
