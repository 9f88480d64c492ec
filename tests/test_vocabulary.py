"""Streams that bring new words: nothing lost or mixed up, as good as known ones."""

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import draw_corpus
from scipy import sparse
from sklearn.metrics.pairwise import cosine_similarity

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity

WORDS = np.array([f"word{v}" for v in range(60)], dtype=object)


def stream(**parameters):
    return AmortizedLDA(
        4, total_samples=300, hidden_layer_sizes=(8,), random_state=0, **parameters
    )


@pytest.fixture
def half_known(corpus):
    """A model of the first 40 words."""
    return stream().partial_fit(corpus[:100, :40], feature_names=WORDS[:40])


def test_words_that_come_late_are_learned_as_well():
    X = draw_corpus(800, 6, 200, 60)[0].tocsr()
    names = np.array([f"w{v}" for v in range(200)])
    train, test = X[:600], X[600:]
    # Half of all words come with the third pass.
    early = np.arange(0, 200, 2)
    known, growing = (
        AmortizedLDA(6, total_samples=600, random_state=0) for _ in range(2)
    )
    for n_pass in range(10):
        for chunk in train[:300], train[300:]:
            known.partial_fit(chunk, feature_names=names)
            if n_pass < 2:
                growing.partial_fit(chunk[:, early], feature_names=names[early])
            else:
                growing.partial_fit(chunk, feature_names=names)
    columns = [list(names).index(name) for name in growing.feature_names_in_]
    perplexity, expected = (
        document_completion_perplexity(lda, counts)
        for lda, counts in ((growing, test[:, columns]), (known, test))
    )
    assert perplexity < 1.05 * expected
    similarity = cosine_similarity(growing.topic_word_, known.topic_word_[:, columns])
    assert similarity.max(axis=1).min() > 0.95


def test_a_word_begins_at_its_prior(half_known, corpus):
    # A column of zeros: the word is announced, and has not occurred.
    chunk = sparse.hstack([corpus[100:200, :40], sparse.csr_matrix((100, 1))])
    half_known.partial_fit(chunk, feature_names=[*WORDS[:40], "unseen"])
    prior = half_known.topic_word_prior_
    np.testing.assert_allclose(half_known.components_[:, 40], prior, rtol=1e-5)
    total = half_known.components_.sum(axis=1)
    np.testing.assert_allclose(half_known.topic_word_[:, 40], prior / total, rtol=1e-5)


def test_columns_are_told_by_their_names(half_known, corpus):
    shuffled = np.random.default_rng(0).permutation(40)
    straight = joblib.hash(stream_on(half_known, corpus[100:, :40], WORDS[:40]))
    other = stream().partial_fit(corpus[:100, :40], feature_names=WORDS[:40])
    stream_on(other, corpus[100:, shuffled], WORDS[shuffled])
    assert joblib.hash(other) == straight


def stream_on(lda, X, names):
    return lda.partial_fit(X, feature_names=names)


def test_known_words_may_be_absent(half_known, corpus):
    X = corpus[100:, :40].toarray()
    X[:, 10:] = 0
    few = stream().partial_fit(corpus[:100, :40], feature_names=WORDS[:40])
    stream_on(few, sparse.csr_array(X[:, :10]), WORDS[:10])
    assert joblib.hash(few) == joblib.hash(stream_on(half_known, X, WORDS[:40]))


def test_new_words_are_appended_in_the_order_they_come(half_known, corpus):
    columns = [50, 3, 45, 0]
    half_known.partial_fit(corpus[100:, columns], feature_names=WORDS[columns])
    assert list(half_known.feature_names_in_) == [*WORDS[:40], "word50", "word45"]
    assert half_known.n_features_in_ == half_known.components_.shape[1] == 42
    assert half_known.transform(corpus[:3, :42]).shape == (3, 4)
    with pytest.raises(ValueError, match="42 features"):
        half_known.transform(corpus[:3, :40])
    assert half_known.top_words(3).shape == (4, 3)


def test_a_resumed_stream_grows_as_an_undisturbed_one(half_known, corpus, tmp_path):
    joblib.dump(half_known, tmp_path / "model")
    resumed = joblib.load(tmp_path / "model")
    results = [stream_on(lda, corpus, WORDS) for lda in (half_known, resumed)]
    assert joblib.hash(results[0]) == joblib.hash(results[1])
    # A word that occurs once may be hidden from the encoder.
    common = np.ravel(corpus.sum(axis=0)) > 5
    rows = half_known._encoder_weights["words"][common]
    assert len(np.unique(rows, axis=0)) == len(rows) > 40


def test_a_data_frame_grows_only_by_names_that_are_given(corpus):
    frames = [
        pd.DataFrame.sparse.from_spmatrix(corpus[:, :n].tocsc(), columns=WORDS[:n])
        for n in (40, 60)
    ]
    lda = stream().partial_fit(frames[0])
    with pytest.raises(ValueError, match="feature names should match"):
        lda.partial_fit(frames[1])
    lda.partial_fit(frames[1], feature_names=frames[1].columns)
    assert list(lda.feature_names_in_) == list(WORDS)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (None, "this chunk has none"),
        (WORDS[:59], "60 columns"),
        ([*WORDS[:59], "word0"], "twice: 'word0'"),
        (range(60), "strings"),
    ],
)
def test_names_that_do_not_fit_change_nothing(half_known, corpus, names, message):
    before = joblib.hash(half_known)
    with pytest.raises(ValueError, match=message):
        half_known.partial_fit(corpus, feature_names=names)
    assert joblib.hash(half_known) == before


def test_names_do_not_come_late(corpus):
    lda = stream().partial_fit(corpus)
    with pytest.raises(ValueError, match="from the first chunk on"):
        lda.partial_fit(corpus, feature_names=WORDS)


def test_an_array_of_priors_cannot_grow_but_can_go_on(corpus):
    lda = stream(topic_word_prior=np.full(40, 0.1))
    stream_on(lda, corpus[:, :40], WORDS[:40])
    with pytest.raises(ValueError, match=r"'word40'.* and 15 more.*topic_word_prior"):
        stream_on(lda, corpus, WORDS)
    stream_on(lda, corpus[:, 39::-1], WORDS[39::-1])


def test_a_module_of_the_users_own_cannot_grow(corpus):
    from torch import nn

    class Dense(nn.Linear):
        def forward(self, X):
            return super().forward(X.to_dense())

    lda = stream(encoder=Dense)
    stream_on(lda, corpus[:, :40], WORDS[:40])
    with pytest.raises(ValueError, match=r"module of your own \(encoder\)"):
        stream_on(lda, corpus, WORDS)


def test_a_failure_after_growing_leaves_the_model_as_it_was(
    half_known, corpus, monkeypatch
):
    from sklearn_amortlda._learner import Learner

    def fail(*_):
        raise MemoryError

    before = joblib.hash(half_known)
    monkeypatch.setattr(Learner, "epoch", fail)
    with pytest.raises(MemoryError):
        stream_on(half_known, corpus, WORDS)
    assert joblib.hash(half_known) == before
    monkeypatch.undo()
    assert stream_on(half_known, corpus, WORDS).n_features_in_ == 60
