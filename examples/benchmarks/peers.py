"""One adapter per model, with its recommended settings.

`build` imports the package and `prepare` converts the counts; neither is timed.
"""

import numpy as np
from scipy import sparse


class Peer:
    """A model that makes `epochs` passes over the training documents."""

    # The package whose version is reported.
    distribution = None
    # Whether the topics are non-negative weights of words.
    has_topics = True

    def __init__(self, n_topics, seed, epochs, threads):
        self.n_topics = n_topics
        self.seed = seed
        self.epochs = epochs
        self.threads = threads
        self.build()

    def build(self):
        """Import the package and make the model."""
        raise NotImplementedError

    @staticmethod
    def default_epochs(n_documents):
        """Number of epochs that the package recommends."""
        raise NotImplementedError

    def prepare(self, X):
        """Counts in the format of the model."""
        return X

    def perplexity(self, doc_topic, topic_word, held_out):
        from sklearn_amortlda.metrics import held_out_perplexity

        return held_out_perplexity(doc_topic, topic_word, held_out)

    def assign(self, documents):
        """One topic for each document."""
        return self.transform(documents).argmax(axis=1)


class EstimatorPeer(Peer):
    """A model with the methods of scikit-learn, which needs no conversion."""

    def fit(self, X):
        self.model.fit(X)

    def transform(self, X):
        return self.model.transform(X)

    @property
    def topic_word_(self):
        return self.model.topic_word_


class Amortlda(EstimatorPeer):
    distribution = "sklearn-amortlda"

    def build(self):
        # AmortizedLDA imports pyro in its first fit.
        import pyro  # noqa: F401

        _import_torch()
        from sklearn_amortlda import AmortizedLDA

        self.model = AmortizedLDA(
            n_components=self.n_topics,
            max_iter=self.epochs,
            n_jobs=self.threads,
            random_state=self.seed,
        )

    @staticmethod
    def default_epochs(n_documents):
        from sklearn_amortlda import AmortizedLDA

        return AmortizedLDA().max_iter

    def assign(self, X):
        return self.model.predict(X)


class SklearnOnline(EstimatorPeer):
    distribution = "scikit-learn"
    learning_method = "online"

    def build(self):
        from sklearn.decomposition import LatentDirichletAllocation

        self.model = LatentDirichletAllocation(
            self.n_topics,
            learning_method=self.learning_method,
            max_iter=self.epochs,
            n_jobs=self.threads,
            random_state=self.seed,
        )

    @staticmethod
    def default_epochs(n_documents):
        return 10

    @property
    def topic_word_(self):
        return self.model.components_


class SklearnBatch(SklearnOnline):
    learning_method = "batch"


class Factorization(Peer):
    """A matrix factorization of tf-idf, whose features have a norm of 1."""

    distribution = "scikit-learn"

    def build(self):
        from sklearn.feature_extraction.text import TfidfTransformer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import Normalizer

        self.model = make_pipeline(
            TfidfTransformer(), self.decomposition(), Normalizer(self.norm)
        )

    @staticmethod
    def default_epochs(n_documents):
        return 200

    def fit(self, X):
        self.model.fit(X)

    def transform(self, X):
        return self.model.transform(X)

    @property
    def topic_word_(self):
        return self.model[-2].components_

    def perplexity(self, doc_topic, topic_word, held_out):
        """None: the factors have no distribution of counts."""
        return None


class Nmf(Factorization):
    norm = "l1"

    def decomposition(self):
        from sklearn.decomposition import NMF

        return NMF(self.n_topics, max_iter=self.epochs, random_state=self.seed)


class Svd(Factorization):
    norm = "l2"
    has_topics = False

    def decomposition(self):
        from sklearn.decomposition import TruncatedSVD

        return TruncatedSVD(self.n_topics, n_iter=self.epochs, random_state=self.seed)

    @staticmethod
    def default_epochs(n_documents):
        return 5


class Gensim(Peer):
    distribution = "gensim"

    def build(self):
        from gensim.matutils import Sparse2Corpus
        from gensim.models import LdaModel, LdaMulticore

        self._to_corpus = Sparse2Corpus
        # LdaMulticore cannot learn an asymmetric alpha, so one thread uses LdaModel.
        self._lda, self._options = LdaModel, {"alpha": "auto"}
        if self.threads > 1:
            self._lda, self._options = LdaMulticore, {"workers": self.threads}

    @staticmethod
    def default_epochs(n_documents):
        return 10

    def prepare(self, X):
        X = sparse.csr_matrix(X, dtype=np.int64)
        self.words = {v: str(v) for v in range(X.shape[1])}
        return list(self._to_corpus(X, documents_columns=False))

    def fit(self, corpus):
        self.model = self._lda(
            corpus,
            id2word=self.words,
            num_topics=self.n_topics,
            passes=self.epochs,
            eta="auto",
            **self._options,
            # Without the bound that gensim logs, which is no part of the fit.
            eval_every=None,
            random_state=self.seed,
        )

    def transform(self, corpus):
        gamma, _ = self.model.inference(corpus)
        return gamma / gamma.sum(axis=1, keepdims=True)

    @property
    def topic_word_(self):
        return self.model.get_topics()


class Gibbs(Peer):
    """A collapsed Gibbs sampler, whose documents are lists of words."""

    @staticmethod
    def default_epochs(n_documents):
        return 1000

    def prepare(self, X):
        """The words are numbers of columns."""
        X = sparse.csr_matrix(X, dtype=np.int64)
        self.n_words = X.shape[1]
        names = np.array([str(v) for v in range(self.n_words)], dtype=object)
        words = np.repeat(names[X.indices], X.data)
        ends = np.cumsum(np.asarray(X.sum(axis=1)).ravel())
        return [part.tolist() for part in np.split(words, ends[:-1])]

    def of_all_words(self, found, words, missing):
        """Topics over all columns, from those over the words of training documents.

        `missing` has the weight of the other words in each topic.
        """
        topic_word = np.tile(missing[:, np.newaxis], self.n_words)
        topic_word[:, [int(word) for word in words]] = found
        return topic_word / topic_word.sum(axis=1, keepdims=True)


class Topica(Gibbs):
    distribution = "topica"

    def build(self):
        import topica

        self.model = topica.LDA(self.n_topics, seed=self.seed, num_threads=self.threads)

    def fit(self, documents):
        self.model.fit(
            [words for words in documents if words],
            iters=self.epochs,
            progress=False,
            keep_theta_draws=False,
        )

    def transform(self, documents):
        return self.model.transform(documents, seed=self.seed)

    @property
    def topic_word_(self):
        """A word that is in no training document has the smallest probability."""
        found = np.asarray(self.model.topic_word)
        return self.of_all_words(found, self.model.vocabulary, found.min(axis=1))


class Tomotopy(Gibbs):
    distribution = "tomotopy"

    def build(self):
        import tomotopy

        self.model = tomotopy.LDAModel(k=self.n_topics, seed=self.seed)
        # As in its examples, alpha is learned after a tenth of the sweeps.
        self.model.burn_in = self.epochs // 10

    def fit(self, documents):
        for words in filter(None, documents):
            self.model.add_doc(words)
        self.model.train(self.epochs, workers=self.threads)

    def transform(self, documents):
        prior = np.asarray(self.model.alpha) / np.sum(self.model.alpha)
        doc_topic = np.tile(prior, (len(documents), 1))
        known = set(self.model.used_vocabs)
        rows = [d for d, words in enumerate(documents) if not known.isdisjoint(words)]
        inferred, _ = self.model.infer(
            [self.model.make_doc(documents[d]) for d in rows], workers=self.threads
        )
        doc_topic[rows] = inferred
        return doc_topic

    @property
    def topic_word_(self):
        """Posterior mean; a word that is in no training document has eta / total."""
        totals = self.model.get_count_by_topics() + self.model.eta * self.n_words
        found = [self.model.get_topic_word_dist(k) for k in range(self.n_topics)]
        missing = self.model.eta / totals
        return self.of_all_words(found, self.model.used_vocabs, missing)


class Scvi(Peer):
    distribution = "scvi-tools"
    # Samples per call and number of calls. One call with its default of 5,000 samples
    # takes 5 GB for 50 topics and 5,000 words.
    samples_of_topics = (100, 10)

    def build(self):
        import anndata
        import scvi

        _import_torch()
        scvi.settings.seed = self.seed
        scvi.settings.num_threads = self.threads
        self._anndata, self._lda = anndata.AnnData, scvi.model.AmortizedLDA

    @staticmethod
    def default_epochs(n_documents):
        return min(1000, round(20_000 / n_documents * 400))

    def prepare(self, X):
        documents = self._anndata(sparse.csr_matrix(X, dtype=np.float32))
        self._lda.setup_anndata(documents)
        return documents

    def fit(self, documents):
        self.model = self._lda(documents, n_topics=self.n_topics)
        self.model.train(
            max_epochs=self.epochs, accelerator="cpu", enable_progress_bar=False
        )

    def transform(self, documents):
        return self.model.get_latent_representation(documents).to_numpy()

    @property
    def topic_word_(self):
        n_samples, n_calls = self.samples_of_topics
        draws = [self.model.get_feature_by_topic(n_samples) for _ in range(n_calls)]
        return np.mean(draws, axis=0).T


class Prodlda(EstimatorPeer):
    distribution = "torch"

    def build(self):
        from prodlda import ProdLDA

        _import_torch()
        self.model = ProdLDA(self.n_topics, self.epochs, self.seed)

    @staticmethod
    def default_epochs(n_documents):
        return 200

    def perplexity(self, doc_topic, topic_word, held_out):
        """Under its own decoder, because a product of experts is no mixture."""
        log_likelihood = 0.0
        for start in range(0, held_out.shape[0], 256):
            part = held_out[start : start + 256].tocoo()
            p = self.model.word_probabilities(doc_topic[start : start + 256])
            log_likelihood += part.data @ np.log(p[part.row, part.col])
        return float(np.exp(-log_likelihood / held_out.sum()))


def _import_torch():
    """Import torch with the 800 modules that the first optimizer imports."""
    import torch

    torch.optim.Adam([torch.zeros(1, requires_grad=True)])


PEERS = {
    "amortlda": Amortlda,
    "sklearn-online": SklearnOnline,
    "sklearn-batch": SklearnBatch,
    "gensim": Gensim,
    "tomotopy": Tomotopy,
    "topica": Topica,
    "nmf": Nmf,
    "svd": Svd,
    "scvi": Scvi,
    "prodlda": Prodlda,
}
