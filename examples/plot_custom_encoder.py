"""
=======================
An encoder of one's own
=======================

The encoder turns a document's word counts into hidden units, from which the posterior
of its topics is read. Any torch module can be one. Here it is a module that learns how
much each word is worth looking at, and divides by the length of the document, so that a
long one and a short one about the same thing look alike but for a number that says how
long they are.
"""

# %%
# The module
# ----------
# ``encoder`` is called with the number of words and the width of the last hidden layer,
# and returns a module; a class does. Its input is a sparse CSR tensor of counts.
# ``embedding_bag`` sums rows of a matrix over the non-zeros and nothing else.

import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from corpora import load_docstrings, vectorizer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity


class WeightedMean(nn.Module):
    """The mean of word vectors under weights that are learned, and a layer on top."""

    def __init__(self, n_features, n_hidden):
        super().__init__()
        self.vectors = nn.Parameter(0.05 * torch.randn(n_features, n_hidden))
        self.log_worth = nn.Parameter(torch.zeros(n_features, 1))
        self.layer = nn.Linear(n_hidden + 1, n_hidden)
        self.dropout = nn.Dropout(0.1)

    def forward(self, X):
        worth = torch.exp(self.log_worth)
        total = self._sum(X, worth)
        # A document may be without words: no division by zero.
        mean = self._sum(X, worth * self.vectors) / (total + 1e-3)
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
# Beside the others
# -----------------
# Topics are nearly the same with any encoder, since they learn after some refinement of
# what it says. It is without refinement that encoders differ: ``refine=0`` is the
# encoder alone.

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
        "{:14} fit {:5.1f} s, held-out perplexity {:.0f} by the encoder alone, {:.0f} "
        "refined".format(name, seconds, *perplexities[name])
    )

# %%
# A fitted model keeps what the module has learned as arrays, and builds the module anew
# where it is needed. So it is saved as any other, as long as the class can be imported
# where it is loaded.

# %%
# Lower is better.
figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
places = np.arange(len(perplexities))
for shift, label, values in zip(
    (-0.2, 0.2), ("encoder alone", "refined"), zip(*perplexities.values())
):
    bars = axis.bar(places + shift, values, width=0.4, label=label)
    axis.bar_label(bars, fmt="{:.0f}", fontsize="small")
axis.set_xticks(places, perplexities)
axis.set_ylabel("held-out perplexity")
axis.margins(y=0.15)
axis.legend(fontsize="small", ncols=2)
plt.show()
