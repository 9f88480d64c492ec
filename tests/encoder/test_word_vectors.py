"""Embeddings that start from word vectors."""

import numpy as np
import pytest
from encoder.modules import Noisy, small_lda
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda.encoder.weights import initial_weights


def untrained_weights(vectors, **options):
    """Weights of an encoder of 60 words and 3 topics."""
    rng = np.random.default_rng(1)
    return initial_weights(
        np.full(60, True), (8, 6), 3, rng, word_vectors=vectors, **options
    )


@pytest.mark.parametrize("kind", ["mlp", "transformer"])
@pytest.mark.parametrize("n_dims", [8, 3, 20])
def test_rows_have_the_geometry_of_the_vectors(kind, n_dims):
    vectors = np.random.default_rng(0).normal(size=(60, n_dims))
    vectors[1] = vectors[0]
    vectors[2] = -2 * vectors[0]
    vectors[3], vectors[4] = 0, np.nan
    random, started = (untrained_weights(v, kind=kind) for v in (None, vectors))
    rows = started.pop("embedding")
    assert_array_equal(rows[[3, 4]], random["embedding"][[3, 4]])
    assert_allclose(rows[1], rows[0], rtol=1e-5)
    assert_allclose(rows[2], -2 * rows[0], rtol=1e-5)
    known = np.arange(60) > 4
    assert_allclose(np.std(rows[known]), np.std(random["embedding"]), rtol=0.2)
    if n_dims == 8:
        ratio = rows[known] / vectors[known]
        assert_allclose(ratio, ratio[0, 0], rtol=1e-5)
    for name, value in started.items():
        assert_array_equal(value, random[name])


@pytest.mark.parametrize(
    "vectors, message",
    [
        (np.ones((59, 4)), r"word_vectors has shape \(59, 4\).*60"),
        (np.ones(60), r"word_vectors has shape \(60,\)"),
        (np.full((60, 4), np.inf), "word_vectors contains NaN or infinity"),
        (np.where(np.eye(60, 4) > 0, np.nan, 1.0), "word_vectors contains NaN"),
        (np.zeros((60, 4)), "word_vectors has no vector for any word"),
    ],
)
def test_bad_word_vectors_raise(corpus, vectors, message):
    with pytest.raises(ValueError, match=message):
        small_lda(word_vectors=vectors).fit(corpus)


def test_word_vectors_with_a_custom_encoder_raise(corpus):
    with pytest.raises(ValueError, match="word_vectors apply to encoder='mlp'"):
        small_lda(encoder=Noisy, word_vectors=np.ones((60, 4))).fit(corpus)
