"""Small models in float64, for tests that compare numbers."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array

from sklearn_amortlda._batches import Batch, BatchMaker
from sklearn_amortlda._corpus import Corpus
from sklearn_amortlda._encoder import initial_weights, load_encoder
from sklearn_amortlda._inference import RELAXATION
from sklearn_amortlda._model import LDAProgram, topic_distributions
from sklearn_amortlda._objectives import OBJECTIVES
from sklearn_amortlda._topics import Topics

F64 = {"dtype": torch.float64, "device": torch.device("cpu")}


def planted(rng, n_topics, n_words, lengths, *, alpha=0.3, topic_word=None):
    """Topics, their documents' proportions, and counts of the given lengths."""
    if topic_word is None:
        topic_word = rng.dirichlet(np.full(n_words, 0.2), n_topics) + 1e-4
        topic_word /= topic_word.sum(axis=1, keepdims=True)
    theta = rng.dirichlet(np.full(n_topics, alpha), len(lengths))
    X = np.array([rng.multinomial(n, t @ topic_word) for n, t in zip(lengths, theta)])
    return topic_word, theta, X


def relaxed(gamma, step, n_steps):
    """Fixed-point steps in NumPy, of which all but the last go further."""
    for i in range(n_steps):
        there = step(gamma)
        further = np.maximum(gamma + RELAXATION * (there - gamma), there / 5)
        gamma = there if i == n_steps - 1 else further
    return gamma


def split_batches(X, weights=None, *, batch_size=None, split=False, seed=0):
    """One epoch of batches, in float64."""
    corpus = Corpus(csr_array(X, dtype=np.float64), weights)
    sizes = [1] * corpus.n_batches(batch_size or len(corpus))
    rng = np.random.default_rng(seed)
    return BatchMaker(corpus, **F64).shuffled(sizes, rng, split=split)


def one_batch(X, weights=None, **options) -> Batch:
    """All documents of X, shuffled."""
    return next(split_batches(X, weights, **options)).whole


def dense(batch):
    """Counts of a batch over its own words, shape (n_documents, n_words)."""
    counts = np.zeros(batch.shape)
    counts[batch.documents, batch.words] = batch.counts
    return counts


def encoder_weights(n_words, n_outputs, rng, **options):
    """Weights of a small encoder, as `initial_weights` but float64."""
    weights = initial_weights(np.full(n_words, True), (7, 6), n_outputs, rng, **options)
    return {k: v.astype(np.result_type(v, np.float64)) for k, v in weights.items()}


@dataclass
class Small:
    """An encoder, topics and a batch, ready for `LDAProgram`."""

    batch: Batch
    topics: Topics
    alpha: torch.Tensor
    encoder: torch.nn.Module
    words: torch.Tensor
    objective: object

    @classmethod
    def random(
        cls,
        rng,
        *,
        objective="bound",
        n_topics=3,
        n_words=12,
        n_documents=9,
        document_weights=None,
    ):
        X = planted(rng, n_topics, n_words, rng.integers(3, 30, n_documents))[2]
        lam = rng.gamma(1.0, 1.0, (n_topics, n_words)) + 0.05
        kind = OBJECTIVES[objective]
        n_outputs = n_topics * kind.outputs_per_topic
        weights = encoder_weights(n_words, n_outputs, rng)
        return cls(
            batch=one_batch(X, document_weights),
            topics=Topics(lam, rng.uniform(0.05, 0.5, n_words), **F64),
            alpha=torch.tensor(rng.uniform(0.1, 1.0, n_topics)),
            encoder=load_encoder(weights, training=True, **F64),
            words=torch.tensor(weights["words"], requires_grad=True),
            objective=kind(0, torch.Generator()),
        )

    def beta(self):
        """The objective's mean of the topics over the batch's words."""
        lam = self.topics.concentration(self.batch.vocabulary)
        return self.objective.beta_mean(lam, self.topics.total)

    def gamma(self):
        """The encoder's Dirichlet parameters."""
        outputs = self.outputs(self.batch)
        return self.objective.concentration(outputs, self.batch, self.alpha)

    def outputs(self, batch):
        """What the encoder says of a batch."""
        return self.encoder(batch, self.words[batch.vocabulary])

    def program(self, beta=None, *, with_kl=True, total_samples=None, batch=None):
        """Model and guide of the batch, or of another."""
        batch = batch or self.batch
        lam = self.topics.concentration(batch.vocabulary)
        if beta is None:
            beta = self.objective.beta_mean(lam, self.topics.total)
        outputs = self.outputs(batch)
        gamma = self.objective.concentration(outputs, batch, self.alpha)
        p_beta, q_beta = topic_distributions(
            self.topics, batch, lam, beta, with_kl=with_kl
        )
        return LDAProgram(
            batch=batch,
            p_beta=p_beta,
            q_beta=q_beta,
            p_theta=self.objective.prior(self.alpha),
            q_theta=self.objective.posterior(outputs, gamma),
            plate_size=total_samples or batch.shape[0],
        )
