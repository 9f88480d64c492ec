"""Columns with names in a stream: identified by name, extended by new words."""

import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import draw_corpus
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity
from sklearn_amortlda.training.loop import Training

WORDS = np.array([f"word{v}" for v in range(60)], dtype=object)


def stream(**parameters):
    return AmortizedLDA(
        4, total_samples=300, hidden_layer_sizes=(8,), random_state=0, **parameters
    )


@pytest.fixture
def half_known(corpus):
    """A model of the first 40 words."""
    return stream().partial_fit(corpus[:100, :40], feature_names=WORDS[:40])


@pytest.mark.slow
def test_words_that_are_new_in_the_third_pass_are_learned_as_well():
    X = draw_corpus(800, 6, 200, 60)[0].tocsr()
    names = np.array([f"w{v}" for v in range(200)])
    train, test = X[:600], X[600:]
    # Half of all words are in no earlier pass.
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


def test_new_word_starts_at_the_prior(half_known, corpus):
    # The new word has a column, and has not occurred.
    chunk = sparse.hstack([corpus[100:200, :40], sparse.csr_matrix((100, 1))])
    half_known.partial_fit(chunk, feature_names=[*WORDS[:40], "unseen"])
    prior = half_known.topic_word_prior_
    np.testing.assert_allclose(half_known.components_[:, 40], prior, rtol=1e-5)
    total = half_known.components_.sum(axis=1)
    np.testing.assert_allclose(half_known.topic_word_[:, 40], prior / total, rtol=1e-5)


def test_order_of_named_columns_does_not_matter(half_known, corpus):
    shuffled = np.random.default_rng(0).permutation(40)
    expected = joblib.hash(continued(half_known, corpus[100:, :40], WORDS[:40]))
    other = stream().partial_fit(corpus[:100, :40], feature_names=WORDS[:40])
    continued(other, corpus[100:, shuffled], WORDS[shuffled])
    assert joblib.hash(other) == expected


def continued(lda, X, names):
    return lda.partial_fit(X, feature_names=names)


def test_absent_words_equal_words_without_counts(half_known, corpus):
    X = corpus[100:, :40].toarray()
    X[:, 10:] = 0
    few = stream().partial_fit(corpus[:100, :40], feature_names=WORDS[:40])
    continued(few, sparse.csr_array(X[:, :10]), WORDS[:10])
    assert joblib.hash(few) == joblib.hash(continued(half_known, X, WORDS[:40]))


def test_new_words_are_appended_in_the_order_of_the_chunk(half_known, corpus):
    columns = [50, 3, 45, 0]
    half_known.partial_fit(corpus[100:, columns], feature_names=WORDS[columns])
    assert list(half_known.feature_names_in_) == [*WORDS[:40], "word50", "word45"]
    assert half_known.n_features_in_ == half_known.components_.shape[1] == 42
    assert half_known.transform(corpus[:3, :42]).shape == (3, 4)
    with pytest.raises(ValueError, match="42 features"):
        half_known.transform(corpus[:3, :40])
    assert half_known.top_words(n_words=3).shape == (4, 3)


def test_saved_model_grows_as_the_model_in_memory(half_known, corpus, tmp_path):
    joblib.dump(half_known, tmp_path / "model")
    resumed = joblib.load(tmp_path / "model")
    results = [continued(lda, corpus, WORDS) for lda in (half_known, resumed)]
    assert joblib.hash(results[0]) == joblib.hash(results[1])
    # The encoder may not have read a word that occurs once.
    common = np.ravel(corpus.sum(axis=0)) > 5
    rows = half_known._encoder_weights["embedding"][common]
    assert len(np.unique(rows, axis=0)) == len(rows) > 40


def test_data_frame_grows_only_with_feature_names(corpus):
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
        ([*WORDS[:59], "word0"], "repeated: 'word0'"),
        (range(60), "strings"),
    ],
)
def test_invalid_names_raise_and_change_nothing(half_known, corpus, names, message):
    before = joblib.hash(half_known)
    with pytest.raises(ValueError, match=message):
        half_known.partial_fit(corpus, feature_names=names)
    assert joblib.hash(half_known) == before


def test_names_after_a_chunk_without_names_raise(corpus):
    lda = stream().partial_fit(corpus)
    with pytest.raises(ValueError, match="from the first chunk on"):
        lda.partial_fit(corpus, feature_names=WORDS)


def test_new_words_raise_where_the_prior_is_an_array(corpus):
    lda = stream(topic_word_prior=np.full(40, 0.1))
    continued(lda, corpus[:, :40], WORDS[:40])
    with pytest.raises(ValueError, match=r"'word40'.* and 15 more.*topic_word_prior"):
        continued(lda, corpus, WORDS)
    continued(lda, corpus[:, 39::-1], WORDS[39::-1])


def test_new_words_raise_where_the_encoder_is_a_callable(corpus):
    from torch import nn

    class Dense(nn.Linear):
        def forward(self, X):
            return super().forward(X.to_dense())

    lda = stream(encoder=Dense)
    continued(lda, corpus[:, :40], WORDS[:40])
    with pytest.raises(ValueError, match=r"module of your own \(encoder\)"):
        continued(lda, corpus, WORDS)


def test_failure_after_growing_keeps_the_earlier_model(half_known, corpus, monkeypatch):
    def fail(*_):
        raise MemoryError

    before = joblib.hash(half_known)
    monkeypatch.setattr(Training, "_train", fail)
    with pytest.raises(MemoryError):
        continued(half_known, corpus, WORDS)
    assert joblib.hash(half_known) == before
    monkeypatch.undo()
    assert continued(half_known, corpus, WORDS).n_features_in_ == 60


# As in docs/scale.md.
@pytest.mark.parametrize("method", ["transform", "score", "perplexity"])
def test_counts_of_a_vectorizer_of_the_learned_words_warn_of_nothing(method):
    chunks = [["red green blue blue", "green red"] * 20, ["yellow red", "blue"] * 20]
    lda = AmortizedLDA(2, total_samples=80, hidden_layer_sizes=(8,), random_state=0)
    for texts in chunks:
        vectorizer = CountVectorizer()
        X = vectorizer.fit_transform(texts)
        lda.partial_fit(X, feature_names=vectorizer.get_feature_names_out())
    assert list(lda.feature_names_in_) == ["blue", "green", "red", "yellow"]
    X = CountVectorizer(vocabulary=lda.feature_names_in_).transform(chunks[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        getattr(lda, method)(X)


@pytest.mark.parametrize("method", ["transform", "score", "perplexity"])
def test_dense_counts_without_names_warn_after_a_data_frame(corpus, method):
    frame = pd.DataFrame(corpus.toarray(), columns=WORDS)
    lda = stream(max_iter=1).fit(frame)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        getattr(lda, method)(corpus.toarray())
    with pytest.raises(ValueError, match="60 features"):
        getattr(lda, method)(corpus[:, :59])
    with pytest.raises(ValueError, match="feature names should match"):
        getattr(lda, method)(frame[frame.columns[::-1]])
