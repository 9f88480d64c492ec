"""Small models and batches in float64, for tests that compare numbers."""

from dataclasses import dataclass

import numpy as np
import torch
from pyro.infer import TraceMeanField_ELBO
from scipy.sparse import csr_array

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.data.batches import Batch, BatchMaker, SplitBatch
from sklearn_amortlda.data.corpus import Corpus
from sklearn_amortlda.encoder.encoder import Encoder
from sklearn_amortlda.encoder.weights import initial_weights, load_encoder
from sklearn_amortlda.model.e_step import RELAXATION
from sklearn_amortlda.model.lda import LDA
from sklearn_amortlda.model.objectives import OBJECTIVES
from sklearn_amortlda.model.topics import Topics
from sklearn_amortlda.runtime.pyro_context import isolated_pyro
from sklearn_amortlda.runtime.torch_context import seeded_torch

F64 = {"dtype": torch.float64, "device": torch.device("cpu")}


def planted(rng, n_topics, n_words, lengths, *, alpha=0.3, topic_word=None):
    """Topics, documents' topic proportions, and counts drawn from them.

    `lengths` are the numbers of words of the documents.
    """
    if topic_word is None:
        topic_word = rng.dirichlet(np.full(n_words, 0.2), n_topics) + 1e-4
        topic_word /= topic_word.sum(axis=1, keepdims=True)
    theta = rng.dirichlet(np.full(n_topics, alpha), len(lengths))
    X = np.array([rng.multinomial(n, t @ topic_word) for n, t in zip(lengths, theta)])
    return topic_word, theta, X


def relaxed(gamma, step, n_steps):
    """gamma after fixed-point steps in NumPy; all steps but the last are relaxed."""
    for i in range(n_steps):
        target = step(gamma)
        further = np.maximum(gamma + RELAXATION * (target - gamma), target / 5)
        gamma = target if i == n_steps - 1 else further
    return gamma


def split_batches(X, weights=None, *, batch_size=None, split=False, seed=0):
    """One epoch of batches, in float64."""
    corpus = Corpus(csr_array(X, dtype=np.float64), weights)
    sizes = [1] * max(1, round(len(corpus) / (batch_size or len(corpus))))
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


def with_topics(topic_word, alpha, *, lengths=(40,) * 400, objective="bound"):
    """A fitted estimator whose topics are replaced by the given ones.

    Its encoder is trained on documents of these topics.
    """
    X = planted(
        np.random.default_rng(1), *topic_word.shape, lengths, topic_word=topic_word
    )[2]
    lda = AmortizedLDA(
        len(topic_word),
        doc_topic_prior=alpha,
        objective=objective,
        batch_size=64,
        max_iter=5,
        random_state=0,
        device="cpu",
    ).fit(X)
    # As after a fit to very many documents.
    lda.components_ = topic_word * 1e6
    lda.topic_word_ = topic_word
    return lda


def posterior(lda, X):
    """gamma of each document under a fitted estimator."""
    return lda.doc_topic_posterior(X.astype(np.float32)).concentration


def encoder_weights(n_words, n_outputs, rng, **options):
    """Weights of a small encoder, as from `initial_weights`, in float64."""
    weights = initial_weights(np.full(n_words, True), (7, 6), n_outputs, rng, **options)
    return {k: v.astype(np.result_type(v, np.float64)) for k, v in weights.items()}


@dataclass
class Small:
    """The parts of a small `LDA`, and a batch of all its documents."""

    batch: SplitBatch
    topics: Topics
    alpha: torch.Tensor
    encoder: Encoder
    objective: type

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
        split=False,
    ):
        X = planted(rng, n_topics, n_words, rng.integers(3, 30, n_documents))[2]
        lam = rng.gamma(1.0, 1.0, (n_topics, n_words)) + 0.05
        kind = OBJECTIVES[objective]
        weights = encoder_weights(n_words, n_topics * kind.outputs_per_topic, rng)
        return cls(
            batch=next(split_batches(X, document_weights, split=split)),
            topics=Topics(lam, rng.uniform(0.05, 0.5, n_words), **F64),
            alpha=torch.tensor(rng.uniform(0.1, 1.0, n_topics)),
            encoder=load_encoder(weights, n_features=n_words, training=True, **F64),
            objective=kind,
        )

    def lda(self, *, n_documents=None, with_topic_kl=True, **options) -> LDA:
        """The Pyro program; by default the batch is the whole corpus."""
        return LDA(
            self.topics,
            self.encoder,
            self.objective,
            self.alpha,
            n_documents=n_documents or self.batch.whole.shape[0],
            with_topic_kl=with_topic_kl,
            **options,
        )

    def loss(self, lda=None, batch=None, *, seed=0):
        """Pyro's loss of a batch: minus the ELBO per document, differentiable."""
        lda = lda or self.lda()
        elbo = TraceMeanField_ELBO(max_plate_nesting=1)
        with isolated_pyro(), seeded_torch(seed, F64["device"]):
            return elbo.differentiable_loss(lda.model, lda.guide, batch or self.batch)

    def beta(self):
        """The objective's mean of the topics of the batch, (words, topics)."""
        return self.topics.gather(
            self.batch.whole.vocabulary, self.objective.beta_mean
        ).beta.detach()

    def gamma(self):
        """The encoder's Dirichlet parameters, (documents, topics)."""
        observed = self.batch.observed
        return self.objective.gamma(self.encoder(observed), observed, self.alpha)
