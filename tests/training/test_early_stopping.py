"""Documents that are held out of training."""

import numpy as np

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.training.early_stopping import HeldOutDocuments


def test_warm_start_holds_out_the_documents_of_the_first_fit(corpus, monkeypatch):
    lda = AmortizedLDA(
        8,
        max_iter=6,
        hidden_layer_sizes=(8,),
        early_stopping=True,
        warm_start=True,
    )
    held_out, original = [], HeldOutDocuments.__init__

    def init(self, corpus, rng):
        held_out.append(corpus.counts.toarray())
        original(self, corpus, rng)

    monkeypatch.setattr(HeldOutDocuments, "__init__", init)
    lda.fit(corpus[:120]).fit(corpus[:120])
    np.testing.assert_array_equal(*held_out)
