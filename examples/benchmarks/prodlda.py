"""ProdLDA of Srivastava & Sutton (2017), for comparison.

No maintained package implements ProdLDA. This implementation follows the paper and the
code of its authors: a product of experts as the decoder, batch normalization with a
learned shift and a fixed scale, dropout 0.2 after the encoder and on theta, the Laplace
approximation of a Dirichlet(1) prior, batches of 200, and Adam with learning rate 0.002
and beta1 0.99.

A. Srivastava & C. Sutton (2017). Autoencoding variational inference for topic models.
ICLR. https://github.com/akashgit/autoencoding_vi_for_topic_models
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

BATCH_SIZE = 200
PRIOR = 1.0


class Network(nn.Module):
    """Encoder and decoder."""

    def __init__(self, n_words, n_topics, n_hidden=100, dropout=0.2):
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(n_words, n_hidden),
            nn.Softplus(),
            nn.Linear(n_hidden, n_hidden),
            nn.Softplus(),
            nn.Dropout(dropout),
        )
        self.mean = nn.Sequential(nn.Linear(n_hidden, n_topics), _shift_norm(n_topics))
        self.log_variance = nn.Sequential(
            nn.Linear(n_hidden, n_topics), _shift_norm(n_topics)
        )
        self.dropout = nn.Dropout(dropout)
        self.topics = nn.Linear(n_topics, n_words, bias=False)
        self.topics_norm = _shift_norm(n_words)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)

    def encode(self, counts):
        hidden = self.hidden(counts)
        return self.mean(hidden), self.log_variance(hidden)

    def log_words(self, theta):
        """Log probability of each word, shape (n_documents, n_words)."""
        return F.log_softmax(self.topics_norm(self.topics(theta)), dim=1)

    def loss(self, counts):
        """Negative evidence bound of a batch, mean over documents."""
        mean, log_variance = self.encode(counts)
        noise = torch.randn_like(mean)
        theta = F.softmax(mean + torch.exp(0.5 * log_variance) * noise, dim=1)
        reconstruction = -(counts * self.log_words(self.dropout(theta))).sum(1)
        return (reconstruction + _kl_to_prior(mean, log_variance)).mean()


class ProdLDA:
    """ProdLDA with scikit-learn's `fit` and `transform`."""

    def __init__(self, n_topics, n_epochs, seed):
        self.n_topics = n_topics
        self.n_epochs = n_epochs
        self.seed = seed

    def fit(self, X):
        torch.manual_seed(self.seed)
        self.network_ = Network(X.shape[1], self.n_topics)
        trained = [p for p in self.network_.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=0.002, betas=(0.99, 0.999))
        for _ in range(self.n_epochs):
            for rows in _full_batches(torch.randperm(X.shape[0]).numpy()):
                optimizer.zero_grad()
                self.network_.loss(_dense(X[rows])).backward()
                optimizer.step()
        self.network_.eval()
        return self

    @torch.no_grad()
    def transform(self, X):
        """softmax of the posterior mean, shape (n_documents, n_topics)."""
        means = [
            self.network_.encode(_dense(X[rows]))[0] for rows in _chunks(X.shape[0])
        ]
        return F.softmax(torch.cat(means), dim=1).double().numpy()

    @property
    def topic_word_(self):
        """Word probabilities of documents with a single topic."""
        return self.word_probabilities(np.eye(self.n_topics))

    @torch.no_grad()
    def word_probabilities(self, theta):
        """Decoder's probability of each word, shape (n_documents, n_words)."""
        return (
            self.network_.log_words(torch.as_tensor(theta).float())
            .double()
            .exp()
            .numpy()
        )


def _shift_norm(n_features):
    norm = nn.BatchNorm1d(n_features, eps=1e-3)
    norm.weight.requires_grad_(False)
    return norm


def _kl_to_prior(mean, log_variance):
    """KL to the Laplace approximation of the symmetric Dirichlet, with mean 0."""
    n_topics = mean.shape[1]
    prior_variance = (1 - 2 / n_topics) / PRIOR + 1 / (n_topics * PRIOR)
    ratio = (log_variance.exp() + mean**2) / prior_variance
    return 0.5 * (ratio - 1 + np.log(prior_variance) - log_variance).sum(1)


def _full_batches(order):
    """Batches of equal size, without the remainder, whose norm would be noisy."""
    size = min(BATCH_SIZE, len(order))
    return order[: len(order) // size * size].reshape(-1, size)


def _chunks(n):
    return (slice(start, start + BATCH_SIZE) for start in range(0, n, BATCH_SIZE))


def _dense(X):
    return torch.as_tensor(X.toarray(), dtype=torch.float32)
