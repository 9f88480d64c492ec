"""The posterior of the topics, q(beta_k) = Dirichlet(lambda_k).

Input: the words of a batch, and after a step their new rows. Output: the rows of lambda
for these words. lambda = eta + expected counts, and a step multiplies all expected
counts by 1 - rho. This decay is lazy: the row of a word is stored as of its last
update. So the cost of a step follows the words of its batch and not the vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ..kernels.rows import gather_rows, scatter_rows
from .distributions import TopicWords, arithmetic_mean, geometric_mean

# Words per chunk of a pass over the vocabulary, so that a chunk fits in the cache.
_WORDS_PER_CHUNK = 2048
# Smallest factor of the expected counts in a step, because a rate of 1 gives log(0).
_MIN_REMAINDER = 1e-300


@dataclass(frozen=True)
class TopicRows:
    """The topics over the words of one batch.

    Attributes
    ----------
    words : Tensor of shape (n_words,)
        Distinct words.
    expected_counts : Tensor of shape (n_words, n_topics)
        lambda - eta of these words.
    beta : Tensor of shape (n_words, n_topics)
        The expectation of beta in the likelihood; a leaf, which receives the gradient.
    posterior, prior : TopicWords
        q(beta) and p(beta) over these words.
    """

    words: torch.Tensor
    expected_counts: torch.Tensor
    beta: torch.Tensor
    posterior: TopicWords
    prior: TopicWords


class Topics:
    """Variational posterior of all topics on one device.

    Parameters
    ----------
    components : ndarray of shape (n_topics, n_features)
        lambda. A word whose lambda equals the prior is a word that has not occurred.
    eta : float or ndarray of shape (n_features,) or (n_topics, n_features)
        Parameters of the Dirichlet prior.
    dtype : torch.dtype
        Type of the stored rows; sums over the vocabulary are float64.
    device : torch.device
    n_labels : int, default=0
        Columns of labels, the last ones. New documents have no labels. q(beta) over the
        words alone is Dirichlet(lambda_words), because a Dirichlet is neutral.

    Notes
    -----
    `_log_decay` is the running sum of log(1 - rho_t). The row of a word decays by
    exp(_log_decay - _last_update[word]). Words that have not occurred have an infinite
    `_last_update`.

    After an exception or Ctrl-C at any point `apply_decay` makes the posterior valid,
    because dependent values are computed first and assigned together.
    """

    def __init__(
        self,
        components,
        eta,
        *,
        dtype: torch.dtype,
        device: torch.device,
        n_labels: int = 0,
    ):
        self.n_topics, self.n_features = components.shape
        self.n_words = self.n_features - n_labels
        self._dtype, self._device = dtype, device
        # MPS has no float64.
        self._sum_dtype = dtype if device.type == "mps" else torch.float64
        self.set_prior(np.asarray(eta, dtype=np.float64))
        counts = torch.tensor(components.T, dtype=dtype, device=device)
        self._counts = counts.contiguous().sub_(self._eta)
        self._last_update = counts.new_zeros(self.n_features, dtype=self._sum_dtype)
        self._restart_decay()

    def set_prior(self, prior: np.ndarray) -> None:
        """Replace eta and keep the expected counts."""
        eta = np.atleast_2d(prior).T
        total = np.broadcast_to(eta, (self.n_features, self.n_topics)).sum(0)
        eta = torch.tensor(eta, dtype=self._dtype, device=self._device)
        total = torch.tensor(total, dtype=self._sum_dtype, device=self._device)
        self.prior, self._eta, self._eta_total = prior, eta, total

    # -- reading ------------------------------------------------------------------

    def gather(self, words, beta_mean: Callable) -> TopicRows:
        """The topics over some distinct words.

        Parameters
        ----------
        words : Tensor of shape (n_words,)
        beta_mean : callable
            The expectation of beta in the likelihood, `arithmetic_mean` or
            `geometric_mean`.
        """
        counts, eta = self.expected_counts(words), self.eta(words)
        lam, total = counts + eta, self.total
        beta = beta_mean(lam, total).requires_grad_()
        q = TopicWords(lam.t(), total, self.n_features, beta.t())
        p = TopicWords(eta.t().expand_as(lam.t()), self.eta_total, self.n_features)
        return TopicRows(words, counts, beta, posterior=q, prior=p)

    def expected_counts(self, words):
        """lambda - eta of some words, shape (n_words, n_topics)."""
        decay = torch.exp(self._log_decay - self._last_update.index_select(0, words))
        rows = gather_rows(self._counts, words)
        return rows.mul_(decay.to(self._dtype).unsqueeze(1))

    def concentration(self, words):
        """lambda of some words, shape (n_words, n_topics)."""
        return self.expected_counts(words).add_(self.eta(words))

    def mean(self, words):
        """E[beta] of some words among all words, shape (n_words, n_topics)."""
        return arithmetic_mean(self.concentration(words), self.total_of_words)

    def geometric_mean(self, words):
        """exp(E[log beta]) of some words among all words, (n_words, n_topics)."""
        return geometric_mean(self.concentration(words), self.total_of_words)

    def eta(self, words):
        """eta of some words, broadcastable to (n_words, n_topics)."""
        return self._eta if len(self._eta) == 1 else gather_rows(self._eta, words)

    @property
    def eta_total(self):
        """Sum of eta over the vocabulary, shape (n_topics,)."""
        return self._eta_total.to(self._dtype)

    @property
    def total(self):
        """Sum of lambda over the vocabulary, shape (n_topics,)."""
        return (self._eta_total + self._counts_total).to(self._dtype)

    @property
    def total_of_words(self):
        """Sum of lambda over the vocabulary without labels, shape (n_topics,)."""
        if self.n_words == self.n_features:
            return self.total
        return self.total - self.concentration(self._labels()).sum(0)

    @property
    def eta_total_of_words(self):
        """Sum of eta over the vocabulary without labels, shape (n_topics,)."""
        if self.n_words == self.n_features:
            return self.eta_total
        shape = self.n_features - self.n_words, self.n_topics
        return self.eta_total - self.eta(self._labels()).expand(shape).sum(0)

    @property
    def sizes(self):
        """Sum of the expected counts over the vocabulary, shape (n_topics,)."""
        return self._counts_total

    def known_words(self, with_labels: bool = True):
        """Words that have occurred, in chunks; labels are the last ones."""
        last_update = self._last_update
        if not with_labels:
            last_update = last_update[: self.n_words]
        known = torch.isfinite(last_update).nonzero().squeeze(1)
        return known.split(_WORDS_PER_CHUNK)

    def components(self) -> np.ndarray:
        """lambda of shape (n_topics, n_features), contiguous by words."""
        shape = self.n_features, self.n_topics
        components = self._eta.expand(shape).cpu().numpy().copy()
        for words in self.known_words():
            components[words.cpu().numpy()] = self.concentration(words).cpu().numpy()
        return components.T

    # -- writing ------------------------------------------------------------------

    def interpolate(self, rows: TopicRows, counts, rate: float) -> None:
        """expected counts <- (1 - rate) expected counts + rate counts, for all words.

        Parameters
        ----------
        rows : TopicRows
            From `gather`. Its `expected_counts` are overwritten.
        counts : Tensor of shape (n_words, n_topics)
            New expected counts of the words of `rows`; zero for all other words.
        rate : float in (0, 1]
        """
        updated = rows.expected_counts.lerp_(counts, rate)
        total = counts.sum(0).to(self._sum_dtype)
        total = torch.lerp(self._counts_total, total, rate)
        log_decay = self._log_decay + math.log(max(1.0 - rate, _MIN_REMAINDER))
        vars(self).update(_log_decay=log_decay, _counts_total=total)
        self._put(rows.words, updated)

    def replace(self, words, counts, sizes) -> None:
        """Replace the expected counts of some words, and the sums over all words."""
        vars(self).update(_counts_total=sizes)
        self._put(words, counts)

    def map_counts(self, change: Callable) -> None:
        """Apply `change` in place to the expected counts of all known words, in chunks.

        Parameters
        ----------
        change : callable
            Called with a Tensor of shape (n_words, n_topics).
        """
        for words in self.known_words():
            counts = self.expected_counts(words)
            change(counts)
            self._put(words, counts)
        self.apply_decay()

    def apply_decay(self) -> None:
        """Apply the pending decay to every row.

        A `Topics` that is made from `components` then equals this one bit for bit. The
        cost follows the words that have occurred.
        """
        for words in self.known_words():
            counts, eta = self.expected_counts(words), self.eta(words)
            # The rounding of `components`, so that a restored state is equal.
            counts.add_(eta).sub_(eta)
            self._put(words, counts)
        self._restart_decay()

    def _labels(self):
        return torch.arange(self.n_words, self.n_features, device=self._device)

    def _put(self, words, counts):
        scatter_rows(self._counts, words, counts)
        now = self._last_update.new_full((len(words),), self._log_decay)
        scatter_rows(self._last_update, words, now)

    def _restart_decay(self):
        """Mark every row as up to date, and recompute the sum of the rows."""
        last_update = torch.full_like(self._last_update, math.inf)
        total = torch.zeros_like(self._eta_total)
        for words in self.known_words():
            rows = gather_rows(self._counts, words)
            last_update[words[rows.any(1)]] = 0.0
            total += rows.sum(0, dtype=self._sum_dtype)
        # One assignment: an interrupt in between would make the rows decay twice.
        vars(self).update(_log_decay=0.0, _last_update=last_update, _counts_total=total)
