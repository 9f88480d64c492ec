"""The transformer body and its attention."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from small import F64, dense, encoder_weights, one_batch
from torch.autograd import gradcheck

from sklearn_amortlda.encoder.transformer import Attention
from sklearn_amortlda.encoder.weights import load_encoder


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def load_transformer(weights, *, training):
    return load_encoder(
        weights,
        kind="transformer",
        n_features=len(weights["embedding"]),
        training=training,
        **F64,
    )


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


def test_attention_with_large_logits_selects_one_word(rng):
    batch = one_batch(rng.poisson(1.0, (5, 8)))
    queries = torch.tensor(1e4 * rng.normal(size=(5, 4)))
    rows = torch.tensor(rng.normal(size=(batch.shape[1], 4)))
    attended = Attention.apply(queries, rows, batch.counts, batch)
    distance = np.abs(attended.numpy()[:, None] - rows.numpy()).max(axis=2).min(axis=1)
    assert_allclose(distance, 0, atol=1e-12)


def test_gradients_equal_finite_differences(rng, monkeypatch):
    weights = encoder_weights(10, 4, rng, kind="transformer")
    encoder = load_transformer(weights, training=True)
    batch = one_batch(rng.poisson(0.7, (7, 10)))
    rows = encoder.embedding.gather(batch.vocabulary, training=True)
    # The same leaf in every call, so that it can be perturbed.
    monkeypatch.setattr(encoder.embedding, "gather", lambda words, training: rows)
    parameters = [rows, *encoder.parameters()]
    cotangent = torch.tensor(rng.normal(size=(7, 4)))

    def value():
        return (cotangent * encoder(batch)).sum()

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


def test_attention_is_not_the_mean_of_the_words(rng):
    # The MLP reads the mean already; attention has to add something to it.
    X = np.eye(10)[[0, 1]] + np.eye(10)[[5, 5]]
    weights = encoder_weights(10, 4, rng, kind="transformer")
    weights["embedding"] *= 40
    body = load_transformer(weights, training=False).body
    batch = one_batch(X)
    rows = torch.tensor(weights["embedding"])[batch.vocabulary]
    queries = body.queries[0](torch.tensor(rng.normal(size=(2, 7))))
    attended = Attention.apply(queries, rows, batch.counts, batch)
    mean = torch.tensor(dense(batch)) @ rows / 2
    assert (attended - mean).abs().max() > 0.1
