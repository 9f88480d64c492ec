"""
================
A custom encoder
================

The encoder maps the word counts of a document to hidden units. A linear layer and a
batch norm then compute the posterior of the topic proportions. Any torch module can be
the encoder. The module of this example computes a weighted mean of word vectors and
learns one weight for each word. The mean does not grow with the length of the document.
The length is a separate input of the last layer.
"""

# %%
# The module
# ----------
# The parameter ``encoder`` is a callable, such as the class of the module. It receives
# the size of the vocabulary and the width of the last hidden layer, and returns a
# module. The input of the module is a sparse CSR tensor of counts. ``embedding_bag``
# sums the rows of a matrix over the non-zeros of each document.

import time

import matplotlib.pyplot as plt
import numpy as np
import pictures
import torch
from corpora import load_docstrings, vectorizer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity


class WeightedMean(nn.Module):
    """A linear layer on the weighted mean of word vectors; weights are learned."""

    def __init__(self, n_features, n_hidden):
        super().__init__()
        self.vectors = nn.Parameter(0.05 * torch.randn(n_features, n_hidden))
        self.log_weights = nn.Parameter(torch.zeros(n_features, 1))
        self.layer = nn.Linear(n_hidden + 1, n_hidden)
        self.dropout = nn.Dropout(0.1)

    def forward(self, X):
        weights = torch.exp(self.log_weights)
        total = self._sum(X, weights)
        # The constant avoids a division by zero for a document without words.
        mean = self._sum(X, weights * self.vectors) / (total + 1e-3)
        hidden = torch.cat([self.dropout(mean), torch.log1p(total)], 1)
        return F.softplus(self.layer(hidden))

    @staticmethod
    def _sum(X, rows):
        return F.embedding_bag(
            X.col_indices(),
            rows,
            X.crow_indices(),
            mode="sum",
            per_sample_weights=torch.log1p(X.values()),
            include_last_offset=True,
        )


# %%
# Comparison with the built-in encoders
# -------------------------------------
# The topics depend little on the encoder, because their statistics are computed after
# three steps of the classical E-step. Encoders differ most in the posterior without
# these steps: ``refine=0`` is the encoder alone.

N_TOPICS, N_EPOCHS = 20, 10

corpus = load_docstrings()
X = vectorizer().fit_transform(corpus.data[::2])
train, test = train_test_split(X, random_state=0)

perplexities = {}
for name, encoder in {
    "mlp": "mlp",
    "transformer": "transformer",
    "weighted mean": WeightedMean,
}.items():
    begin = time.perf_counter()
    lda = AmortizedLDA(N_TOPICS, encoder=encoder, max_iter=N_EPOCHS, random_state=0)
    lda.fit(train)
    seconds = time.perf_counter() - begin
    perplexities[name] = [
        document_completion_perplexity(lda.set_params(refine=n_steps), test)
        for n_steps in (0, 3)
    ]
    print(
        "{:14} fit {:5.1f} s; held-out perplexity {:.0f} of the encoder alone, {:.0f} "
        "with 3 steps".format(name, seconds, *perplexities[name])
    )

# %%
# A fitted model stores the learned weights of the module as arrays, and builds a new
# module when it infers documents. The model can be pickled like any other model, if the
# class of the module can be imported where the file is loaded.

# %%
# The figure compares the perplexities; lower is better.

figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
places = np.arange(len(perplexities))
for shift, label, values in zip(
    (-0.2, 0.2), ("encoder alone", "with 3 steps"), zip(*perplexities.values())
):
    bars = axis.bar(places + shift, values, width=0.4, label=label)
    axis.bar_label(bars, fmt="{:.0f}", fontsize="small")
axis.set_xticks(places, perplexities)
axis.set_ylabel("held-out perplexity")
axis.margins(y=0.15)
axis.legend(fontsize="small", ncols=2)
pictures.save("custom_encoder")
