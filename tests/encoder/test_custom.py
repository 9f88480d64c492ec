"""Modules that the user has written."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from encoder.modules import Noisy, Tied, lazy, small_lda
from numpy.testing import assert_array_equal
from runtime.global_state import global_state, use
from torch import nn


class Share(nn.Module):
    """Divides by the length of a document, so that an empty document becomes NaN."""

    def __init__(self, n_features, n_hidden):
        super().__init__()
        self.linear = nn.Linear(n_features, n_hidden)

    def forward(self, X):
        X = X.to_dense()
        return self.linear(X / X.sum(1, keepdim=True))


class Failing(Noisy):
    """Raises after a draw."""

    def forward(self, X):
        torch.rand(3)
        if self.training:
            raise RuntimeError("out of order")
        return super().forward(X)


def no_module(n_features, n_hidden):
    """Returns a function."""
    torch.rand(3)
    return torch.relu


def narrow(n_features, n_hidden):
    """Returns a module of half the width."""
    return nn.Linear(n_features, n_hidden // 2)


@pytest.mark.parametrize("encoder", [Noisy, lazy])
def test_module_leaves_global_state_unchanged(corpus, encoder):
    before = global_state()
    use(small_lda(encoder=encoder), corpus)
    assert global_state() == before


@pytest.mark.parametrize(
    "encoder, error, message",
    [
        (Failing, RuntimeError, "out of order"),
        (no_module, TypeError, r"encoder\(n_features, n_hidden\) must return"),
        (nn.Linear(60, 6), TypeError, "encoder is a module"),
        (narrow, ValueError, r"encoder's module returned .*\(2, 6\)"),
        (Share, ValueError, "encoder's module returned NaN .*length of a document"),
        ("cnn", ValueError, "encoder"),
    ],
)
def test_bad_module_raises_and_leaves_global_state_unchanged(
    corpus, encoder, error, message
):
    before = global_state()
    estimator = small_lda(encoder=encoder)
    with pytest.raises(error, match=message):
        estimator.fit(corpus)
    assert global_state() == before
    assert not hasattr(estimator, "components_")


def test_nan_in_training_raises(corpus):
    class Diverging(Noisy):
        def forward(self, X):
            return super().forward(X) / (0.0 if self.training else 1.0)

    with pytest.raises(ValueError, match=r"NaN or infinity.*lower learning_rate_init"):
        small_lda(encoder=Diverging).fit(corpus)


def test_fits_in_threads_equal_fits_in_sequence(corpus):
    fits = [small_lda(encoder=Noisy, random_state=seed).fit for seed in range(4)]
    expected = [fit(corpus).components_ for fit in fits]
    with ThreadPoolExecutor(4) as threads:
        found = [threads.submit(fit, corpus) for fit in fits]
    for components, fitted in zip(expected, found, strict=True):
        assert_array_equal(fitted.result().components_, components)
    assert not np.array_equal(expected[0], expected[1])


@pytest.mark.parametrize(
    "surroundings", [torch.inference_mode, lambda: torch.device("meta")]
)
def test_surrounding_contexts_do_not_change_a_fit(corpus, surroundings):
    expected = small_lda(encoder=Noisy).fit(corpus)
    with surroundings():
        found = small_lda(encoder=Noisy).fit(corpus)
        theta = found.transform(corpus)
    assert_array_equal(theta, expected.transform(corpus))


def test_buffers_are_stored(corpus):
    weights = small_lda(encoder=Noisy).fit(corpus)._encoder_weights
    assert weights["body.module.norm.num_batches_tracked"] > 0


def test_shared_weights_stay_equal_and_frozen_weights_stay_constant(corpus):
    fits = [small_lda(encoder=Tied, max_iter=n, warm_start=True) for n in (1, 3)]
    few, many = (fit.fit(corpus).fit(corpus)._encoder_weights for fit in fits)
    for shared in ("one", "other"):
        name = f"body.module.{shared}.weight"
        assert_array_equal(many[name], many["body.module.one.weight"])
        assert np.abs(many[name] - few[name]).max() > 1e-4
    frozen = "body.module.frozen.weight"
    assert_array_equal(many[frozen], few[frozen])


def test_random_state_seeds_the_initial_weights(corpus):
    one, same, other = (
        small_lda(
            encoder=Noisy, max_iter=1, learning_rate_init=1e-30, random_state=seed
        )
        .fit(corpus)
        ._encoder_weights["body.module.first.weight"]
        for seed in (0, 0, 1)
    )
    assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.01
