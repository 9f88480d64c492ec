"""Encoders of all kinds, and small models with them."""

import torch
from torch import nn

from sklearn_amortlda import AmortizedLDA


class Noisy(nn.Module):
    """Has buffers, and draws for its initial weights and for dropout."""

    def __init__(self, n_features, n_hidden):
        super().__init__()
        self.first = nn.Linear(n_features, n_hidden)
        self.norm = nn.BatchNorm1d(n_hidden)
        self.dropout = nn.Dropout(0.3)

    def forward(self, X):
        return self.dropout(torch.relu(self.norm(self.first(torch.log1p(X)))))


class Tied(nn.Module):
    """Uses one weight in two places, and freezes another weight."""

    def __init__(self, n_features, n_hidden):
        super().__init__()
        self.words = nn.Linear(n_features, n_hidden)
        self.frozen = nn.Linear(n_hidden, n_hidden).requires_grad_(False)
        self.one = nn.Linear(n_hidden, n_hidden)
        self.other = self.one

    def forward(self, X):
        return self.other(torch.relu(self.one(self.frozen(self.words(X)))))


class Dense(nn.Module):
    """Counts as a dense matrix."""

    def forward(self, X):
        return X.to_dense()


def lazy(n_features, n_hidden):
    """Takes its shape from the first document."""
    return nn.Sequential(Dense(), nn.LazyLinear(n_hidden), nn.Softplus())


ENCODERS = ["mlp", "transformer", Noisy, Tied, lazy]


def small_lda(**parameters):
    settings = {"n_components": 3, "max_iter": 2, "hidden_layer_sizes": (8, 6)}
    settings |= {"random_state": 0, "device": "cpu", "batch_size": 100}
    return AmortizedLDA(**{**settings, **parameters})
