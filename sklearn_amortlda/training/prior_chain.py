"""A Markov chain that learns eta, and alpha, by Monte Carlo expectation maximization.

Input: a sample of the training documents, and the topics after some steps of training.
Output: the priors. A sweep of Gibbs sampling draws the topic of every word given theta
and beta, then theta and beta given the topics of the words. The priors are those under
which the drawn counts are most likely (Wei & Tanner 1990). Expected counts would give
biased priors, because they divide every uncertain word among the topics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..data.corpus import Corpus
from ..inference.posterior import draw_dirichlet
from ..inference.word_topics import Occurrences, draw_beta, draw_counts
from ..model import doc_topic_prior, topic_word_prior
from ..model.count_prior import fit_prior, fit_symmetric_prior
from ..model.prior_regression import alpha_of_documents
from ..runtime.lazy import lazy_property

# Largest number of words times topics in a sweep, and smallest number of words.
_MAX_PRODUCTS, _MIN_WORDS = 2_000_000, 20_000
# Sweeps of an update, and sweeps before the first update.
_N_SWEEPS, _N_FIRST_SWEEPS = 10, 20
# Added to a sum that may be zero, because Dirichlet parameters are positive.
_TINY = 1e-30


class PriorChain:
    """Draws of theta, beta and the words' topics, for a sample of documents.

    Parameters
    ----------
    corpus : Corpus
        The training documents.
    n_topics : int
    learn_alpha : bool
        Whether alpha is learned.
    seed : int
        Seed of the sample of documents.

    Attributes
    ----------
    theta : ndarray of shape (n_documents, n_topics) or None
        The latest draw; None before the first sweep.
    beta : ndarray of shape (n_words, n_topics) or None
        The latest draw, over the words of the sample; None before the first sweep.
    """

    def __init__(self, corpus: Corpus, n_topics: int, learn_alpha: bool, seed: int):
        self._corpus, self._n_topics = corpus, n_topics
        self._learn_alpha, self._seed = learn_alpha, seed
        self.theta = self.beta = None

    @lazy_property
    def _sample(self) -> _Sample:
        return _Sample.of(self._corpus, self._n_topics, self._seed)

    def draws(self) -> dict:
        """Copies of the latest draws."""
        draws = {"theta": self.theta, "beta": self.beta}
        return {key: value.copy() for key, value in draws.items() if value is not None}

    def restore(self, draws: dict) -> None:
        """Continue from the draws of an equal chain."""
        self.theta, self.beta = draws.get("theta"), draws.get("beta")

    def run(
        self, topics, alpha, rng: np.random.Generator, coefficients=None
    ) -> np.ndarray:
        """Take some sweeps, and fit the priors to the counts of each sweep.

        Parameters
        ----------
        topics : Topics
        alpha : ndarray of shape (n_topics,)
        rng : numpy.random.Generator
        coefficients : ndarray of shape (n_covariates, n_topics), default=None
            Coefficients of covariates, with which alpha is not learned.

        Returns
        -------
        mean_logs : ndarray of shape (n_topics + 1,)
            Means over the sweeps of log alpha and log eta.
        """
        n_words, eta = topics.n_words, float(topics.prior)
        documents, occurrences = self._sample.documents, self._sample.occurrences
        n_warm_up = 0 if self.theta is not None else _N_FIRST_SWEEPS
        self._start(topics)
        logs, prior = [], alpha
        if coefficients is not None:
            covariates = documents.covariates.astype(np.float64)
            parameters = alpha, coefficients, covariates
            prior = alpha_of_documents(*map(torch.from_numpy, parameters)).numpy()
        # Counts of fractions may round to no words.
        for sweep in range(n_warm_up + _N_SWEEPS if occurrences.counts.any() else 0):
            # Not compiled, because a fit must not depend on whether numba is installed.
            by_document, by_word = draw_counts(self.theta, self.beta, occurrences, rng)
            if self._learn_alpha:
                alpha = fit_prior(by_document, alpha, documents.weights)
                prior = alpha = doc_topic_prior.clip(alpha)
            eta = fit_symmetric_prior(by_word.T, eta, n_words)
            eta = topic_word_prior.clip(eta)
            theta = draw_dirichlet(by_document + prior, rng)
            self.theta = theta.astype(np.float32)
            rest = np.full(self._n_topics, eta * (n_words - len(by_word)) + _TINY)
            self.beta, _ = draw_beta(by_word, eta, rest, rng)
            if sweep >= n_warm_up:
                logs.append(np.log([*alpha, eta]))
        return np.mean(logs or [np.log([*alpha, eta])], axis=0)

    def merge_and_split(self, moves) -> None:
        """Apply the moves of `merge_split.merge_and_split` to the draws."""
        if moves and self.theta is not None:
            doc_topic_prior.merge_and_split(self.theta.T, moves)
            self.beta = None

    def _start(self, topics):
        """Set draws that are missing: theta to equal shares, beta to its mean."""
        if self.theta is None:
            shape = len(self._sample.documents), self._n_topics
            self.theta = np.full(shape, 1.0 / self._n_topics, np.float32)
        if self.beta is None:
            vocabulary = self._sample.occurrences.vocabulary
            words = torch.as_tensor(vocabulary, device=topics.total.device)
            beta = topics.concentration(words) / topics.total_of_words
            self.beta = beta.cpu().numpy().astype(np.float32)


@dataclass(frozen=True)
class _Sample:
    """A sample of documents, and of their words if they are long.

    Attributes
    ----------
    documents : Corpus
    occurrences : Occurrences
    """

    documents: Corpus
    occurrences: Occurrences

    @classmethod
    def of(cls, corpus, n_topics, seed) -> _Sample:
        rng = np.random.default_rng(seed)
        n_words = max(_MAX_PRODUCTS / n_topics, _MIN_WORDS)
        corpus = corpus.without_labels()
        n_all = max(corpus.counts.sum(dtype=np.float64), 1.0)
        corpus = _draw_documents(corpus, n_words / n_all, rng)
        counts = corpus.counts
        # A random share of the words of a long document has the same theta.
        share = min(n_words / max(counts.sum(dtype=np.float64), 1.0), 1.0)
        # Fractions are rounded at random, because draws are of whole words.
        times = np.floor(share * counts.data + rng.random(counts.nnz))
        return cls(corpus, Occurrences.of(counts, times))


def _draw_documents(corpus, share, rng):
    """A share of the documents, at random."""
    if share >= 1.0:
        return corpus
    n_documents = max(int(share * len(corpus)), 1)
    return corpus[np.sort(rng.choice(len(corpus), n_documents, replace=False))]
