"""Training that diverges: NaN raises, and an encoder without use warns."""

import warnings

import numpy as np
import pytest
from conftest import draw_corpus
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.data.corpus import Corpus
from sklearn_amortlda.training.convergence import convergence_warning
from sklearn_amortlda.training.loop import Training


class Encoder:
    """Stands for an `Inference` with a given log-likelihood of each document."""

    def __init__(self, log_likelihood):
        self.log_likelihood, self.n_refine = log_likelihood, None

    def gamma(self, documents, n_refine):
        self.n_refine = n_refine

    def completion(self, gamma, documents):
        return np.full(len(documents), self.log_likelihood)


def test_nan_bound_raises_and_names_the_parameter_to_change(corpus, monkeypatch):
    monkeypatch.setattr(Training, "_train", lambda *_: float("nan"))
    with pytest.raises(FloatingPointError, match=r"Lower\s+learning_rate_init"):
        AmortizedLDA(3).fit(corpus)


def test_very_large_learning_rate_warns_of_likely_causes(corpus):
    lda = AmortizedLDA(3, learning_rate_init=10.0, max_iter=5, random_state=0)
    with pytest.warns(ConvergenceWarning, match="The encoder explains") as caught:
        lda.fit(corpus)
    message = str(caught[0].message)
    for cause in "learning_rate_init", "max_iter", "n_components", "doc_topic_prior":
        assert cause in message
    assert caught[0].filename == __file__
    assert np.isfinite(lda.transform(corpus)).all()


@pytest.mark.slow
def test_defaults_do_not_warn(corpus):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        AmortizedLDA(3, random_state=0).fit(corpus)


@pytest.mark.slow
def test_many_topics_of_few_short_documents_do_not_warn():
    X = draw_corpus(400, 100, 1000, 20)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        AmortizedLDA(100, random_state=0).fit(X)


@pytest.mark.parametrize("objective", ["completion", "bound", "logistic_normal"])
def test_one_topic_does_not_warn(corpus, objective):
    lda = AmortizedLDA(1, objective=objective, max_iter=5, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        lda.fit(corpus)


def test_log_likelihood_two_percent_below_the_unigram_model_warns(corpus):
    documents = Corpus(csr_array(corpus, dtype=np.float32))
    shares = documents.word_counts / documents.word_counts.sum()
    shares = shares[shares > 0]
    unigram = shares @ np.log(shares)
    length = documents.n_words / len(documents)
    above, below = Encoder(1.019 * unigram * length), Encoder(1.021 * unigram * length)
    assert convergence_warning(above, documents) is None
    message = convergence_warning(below, documents)
    assert f"worse than the {unigram:.3f} of a model without topics" in message
    assert below.n_refine == 0
