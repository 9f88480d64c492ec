"""The estimator: parameters, validation, orchestration; no mathematics."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager, nullcontext
from inspect import signature
from numbers import Integral, Real

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ._callbacks import CallbackSupportMixin, FitCallbacks, Reporter
from ._corpus import make_corpus
from ._memory import enough_memory
from ._persistence import seal, unseal
from ._posterior import DirichletPosterior
from ._validation import check_counts, check_weights
from ._vocabulary import check_chunk
from .inspection import top_words

# torch and pyro take seconds to import: the modules that need them are imported by the
# methods that compute, so that importing or configuring an estimator is instant.


class AmortizedLDA(
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    r"""Latent Dirichlet Allocation with amortized variational inference.

    The model is that of Blei, Ng and Jordan [1]_: topics
    :math:`\beta_k \sim \mathrm{Dirichlet}(\eta)`, documents' topic proportions
    :math:`\theta_d \sim \mathrm{Dirichlet}(\alpha)`, and word counts with

    .. math:: \log p(w_d | \theta_d, \beta)
              = \sum_v c_{dv} \log \sum_k \theta_{dk} \beta_{kv}.

    An encoder network maps a document's counts to the posterior of its topics in one
    pass. It is trained by Adam on mini-batches of the evidence lower bound (Pyro's
    SVI), while the topics' own posterior takes natural-gradient steps on the same
    bound [2]_. New documents cost a forward pass and a few products.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.
    doc_topic_prior : 'auto', float or array-like of shape (n_components,), \
            default='auto'
        alpha, the Dirichlet prior of documents' topics. Small values make documents
        of few topics. 'auto' learns one value a topic, from a start of 0.1 on average
        that falls off like Zipf's law: common words find a topic of their own.
    topic_word_prior : 'auto', float or array-like of shape (n_features,) or \
            (n_components, n_features), default=0.03
        eta, the Dirichlet prior of topics' words. Small values make topics of few
        words. 'auto' learns one number, a step of Minka's fixed point an epoch.
    objective : {'completion', 'collapsed', 'bound', 'sampled', 'logistic_normal'}, \
            default='completion'
        What training ascends.

        - 'completion': expectations of theta and beta in the likelihood. In every
          batch the posterior sees a random half of each document's words, and the
          topics and alpha learn from the other half.
        - 'collapsed': the same expectations, and topics that learn from each word
          without its own contribution to its document (CVB0 [3]_, [5]_).
        - 'bound': the textbook evidence lower bound of [1]_ and [2]_, which
          scikit-learn's and gensim's LDA maximize.
        - 'sampled': a Monte-Carlo estimate of the bound with pathwise gradients
          through theta.
        - 'logistic_normal': the same with a logistic-normal posterior and the Laplace
          approximation of the Dirichlet prior [4]_.
    encoder : {'mlp', 'transformer'} or callable, default='mlp'
        The network from counts to hidden units; a linear layer and a batch norm that
        lead to the posterior are added to it.

        - 'mlp': softplus layers, the first over logarithms of counts.
        - 'transformer': the same, each layer with attention over the document's
          distinct words, in heads of a quarter of the first layer's width [6]_.
        - A callable ``encoder(n_features, n_hidden)`` that returns a torch Module,
          such as its class. The module is called with the counts, a sparse CSR tensor
          of shape (n_documents, n_features), float32 and on `device`, and returns a
          tensor of shape (n_documents, n_hidden), n_hidden being the last of
          `hidden_layer_sizes`; documents without words are legal. What it learns is
          kept as arrays, and put into a module that the callable builds anew: it is to
          build the same each time, and pickles as callables do. Its initial weights
          and dropout draw from torch's global generators, which are seeded by
          `random_state` meanwhile. Where it is linear in the counts, its cost follows
          the vocabulary.
    hidden_layer_sizes : array-like of int, default=(100,)
        Widths of the encoder's hidden layers.
    word_vectors : array-like of shape (n_features, n_dims), default=None
        Vectors of the words, learned elsewhere, that the first layer of 'mlp' and
        'transformer' begins with; projected at random where n_dims is not its width.
        Rows of zeros or NaN are words without one. None is a random start.
    refine : int, default=3
        Fixed-point steps of the classical E-step after the encoder, in `transform`,
        `score` and `perplexity`. 0 is the encoder alone: fastest, less accurate.
    refine_fit : int, default=3
        The same in training, before the topics learn from a batch; all but the last go
        1.8 times as far (over-relaxation). The sampled objectives do without;
        'collapsed' takes at least one.
    learning_rate_init : float, default=0.002
        Learning rate of the encoder (Adam).
    learning_schedule : {'auto', 'cosine', 'power'}, default='auto'
        Step sizes. 'cosine' falls from 1 to 0 over `max_iter` epochs, for the topics
        as for the encoder: early steps explore, late ones average. 'power' is
        (`learning_offset` + t) ** -`learning_decay` after t batches, without an end.
        'auto' is 'cosine' in `fit` and 'power' in `partial_fit`; ask for 'cosine'
        there if the stream is to end after `max_iter` passes over `total_samples`
        documents.
        On the way, topics that have become duplicates of others are merged and split
        elsewhere.
    learning_decay : float, default=0.55
        kappa of the 'power' schedule. In (0.5, 1] convergence is guaranteed.
    learning_offset : float, default=10.0
        tau_0 of the 'power' schedule; large values slow early steps down.
    max_iter : int, default=20
        Passes over the training data (epochs) in `fit`; with
        learning_schedule='cosine' those in a stream of `partial_fit`.
    batch_size : int or 'auto', default='auto'
        Documents a step. 'auto' is as many as have 20,000 non-zeros in X, within 64
        and 256, but no more than a twentieth of all and no fewer than 16; as the rates
        fall, up to eight times as many at rates as much larger, which averages as well
        in less time [7]_. In `partial_fit` all are `total_samples`.
    total_samples : int, default=1_000_000
        Documents in the corpus that `partial_fit` sees chunks of.
    evaluate_every : int, default=0
        Every so many epochs `fit` adds the training perplexity to `history_`, at the
        cost of a pass over the data. 0 or less: never.
    early_stopping : bool, default=False
        Hold `validation_fraction` of the documents out, and stop when the words of
        one half of each are no longer better predicted from the other half. The best
        epoch is kept.
    validation_fraction : float, default=0.1
        Share of the documents held out if `early_stopping`.
    n_iter_no_change : int, default=10
        With `early_stopping`, epochs without an improvement of `tol` after which
        training stops.
    tol : float, default=1e-4
        With `early_stopping`, the smallest improvement of the held-out log-likelihood
        that counts, in nats per word.
    warm_start : bool, default=False
        Whether `fit` goes on from the last fit, optimizer included, for another
        `max_iter` epochs. With learning_schedule='power' two fits of n epochs equal
        one of 2n bit for bit; else rates fall a second time, from 0.3.
    device : str or torch.device, default='auto'
        Where to compute: 'auto' ('cuda' where there is one, else 'cpu'), 'cpu',
        'cuda', 'cuda:1', 'mps' (not tested). A fitted model holds no device and works
        anywhere.
    distributed : bool, default=False
        Whether the ranks of torch.distributed's default process group fit one model
        together: each is to call `fit` or `partial_fit` with the same parameters and
        columns, on documents of its own, and ends with the same model. `batch_size`
        counts the documents of all ranks.
    checkpoint : str or path-like, default=None
        A file that `fit` writes after every epoch and removes at its end, so that one
        that was killed goes on from there when it is called again, with the same
        parameters, data and `random_state`: to the same result bit for bit on one
        device and number of threads. For another fit it is an error, so parallel ones
        (as in a grid search) cannot share a file. About the size of a saved model, two
        of them with `early_stopping`.
    verbose : int, default=0
        1 or more shows a progress bar with the bound per word; beside scikit-learn's
        ProgressBar leave it 0. Epochs are logged (level INFO, logger
        'sklearn_amortlda') in any case.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial topics and encoder, of shuffling and sampling. With an int
        two fits on one device and number of threads are equal bit for bit.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        lambda, the parameters of the topics' Dirichlet posteriors. As in
        scikit-learn, `components_[k, v]` is a pseudo-count of word v in topic k.
    topic_word_ : ndarray of shape (n_components, n_features)
        E[beta], the topics: each row a distribution over words.
    bound_ : float
        Evidence lower bound on log p(X | alpha, eta) of the data of `fit`, in nats, all
        documents (without those held out) and the topics' own term, counted once. NaN
        after `partial_fit`, where it would take longer than the training, and after an
        interrupt.
    history_ : list of dict
        A record an epoch: 'epoch'; 'bound', the mean over words of the training bound
        in nats, at the encoder's posterior and under the topics of the moment; where
        asked for 'perplexity' of the training data and 'validation_score', the
        held-out log-likelihood in nats per word.
    n_iter_ : int
        Epochs trained.
    n_batch_iter_ : int
        Steps trained. Fewer than the batches of all epochs where `batch_size` grows.
    doc_topic_prior_ : ndarray of shape (n_components,)
        alpha, as given or learned.
    topic_word_prior_ : float or ndarray
        eta, of the shape given, or as learned.
    n_features_in_ : int
        Number of words seen in `fit` or `partial_fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the words, where X had string column names.

    See Also
    --------
    sklearn.decomposition.LatentDirichletAllocation : The same model with an iterative
        optimization for every document.

    References
    ----------
    .. [1] Blei, Ng & Jordan (2003), "Latent Dirichlet Allocation", JMLR 3.
    .. [2] Hoffman, Blei, Wang & Paisley (2013), "Stochastic Variational Inference",
           JMLR 14.
    .. [3] Asuncion, Welling, Smyth & Teh (2009), "On Smoothing and Inference for Topic
           Models", UAI.
    .. [4] Srivastava & Sutton (2017), "Autoencoding Variational Inference for Topic
           Models", ICLR.
    .. [5] Foulds, Boyles, DuBois, Smyth & Welling (2013), "Stochastic Collapsed
           Variational Bayesian Inference for Latent Dirichlet Allocation", KDD.
    .. [6] Jaegle, Gimeno, Brock, Vinyals, Zisserman & Carreira (2021), "Perceiver:
           General Perception with Iterative Attention", ICML.
    .. [7] Smith, Kindermans, Ying & Le (2018), "Don't Decay the Learning Rate, Increase
           the Batch Size", ICLR.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn_amortlda import AmortizedLDA
    >>> X, _ = make_multilabel_classification(random_state=0)
    >>> lda = AmortizedLDA(n_components=5, random_state=0).fit(X)
    >>> lda.transform(X[:2]).shape
    (2, 5)
    >>> lda.topic_word_.shape
    (5, 20)
    """

    # Where the "?" of the HTML diagram leads. Nothing is hosted there yet: the README's
    # command for the API reference makes a page a public module, of these names.
    _doc_link_module = "sklearn_amortlda"
    _doc_link_template = (
        "https://sklearn-amortlda.readthedocs.io/en/stable/{estimator_module}.html"
    )

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "doc_topic_prior": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
            "array-like",
        ],
        "topic_word_prior": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
            "array-like",
        ],
        "objective": [
            StrOptions(
                {"completion", "collapsed", "bound", "sampled", "logistic_normal"}
            )
        ],
        "encoder": [StrOptions({"mlp", "transformer"}), callable],
        "hidden_layer_sizes": ["array-like"],
        "word_vectors": ["array-like", None],
        "refine": [Interval(Integral, 0, None, closed="left")],
        "refine_fit": [Interval(Integral, 0, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "learning_schedule": [StrOptions({"auto", "cosine", "power"})],
        "learning_decay": [Interval(Real, 0, 1, closed="both")],
        "learning_offset": [Interval(Real, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "total_samples": [Interval(Real, 0, None, closed="neither")],
        "evaluate_every": [Integral],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "device": "no_validation",  # by resolve_device, which lists what there is
        "distributed": ["boolean"],
        "checkpoint": [str, os.PathLike, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components=10,
        *,
        doc_topic_prior="auto",
        topic_word_prior=0.03,
        objective="completion",
        encoder="mlp",
        hidden_layer_sizes=(100,),
        word_vectors=None,
        refine=3,
        refine_fit=3,
        learning_rate_init=0.002,
        learning_schedule="auto",
        learning_decay=0.55,
        learning_offset=10.0,
        max_iter=20,
        batch_size="auto",
        total_samples=1_000_000,
        evaluate_every=0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        device="auto",
        distributed=False,
        checkpoint=None,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
        self.doc_topic_prior = doc_topic_prior
        self.topic_word_prior = topic_word_prior
        self.objective = objective
        self.encoder = encoder
        self.hidden_layer_sizes = hidden_layer_sizes
        self.word_vectors = word_vectors
        self.refine = refine
        self.refine_fit = refine_fit
        self.learning_rate_init = learning_rate_init
        self.learning_schedule = learning_schedule
        self.learning_decay = learning_decay
        self.learning_offset = learning_offset
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.total_samples = total_samples
        self.evaluate_every = evaluate_every
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.device = device
        self.distributed = distributed
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn the topics and the encoder from word counts.

        Ctrl-C ends it with a warning, fitted with what was learned, down to the last
        step; before the first step, KeyboardInterrupt is raised as usual. From
        scikit-learn 1.9 on, callbacks (`set_callbacks`) see each epoch as a task, and
        one that returns True ends the fit; the fitted estimator they are shown has no
        `bound_` but NaN. A callback that is given no y is shown X in its place.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document. Rows of zeros are legal.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Number of times each document counts; None is once. In mini-batches as
            good as repeating documents, not equal to it; 0 is equal to absence.

        Returns
        -------
        self : AmortizedLDA
            The fitted estimator.

        Raises
        ------
        ValueError
            If X is empty, all zero, malformed, negative, not finite or complex, the
            device is not available, or the checkpoint is damaged or of another fit.
            What was fitted before stays usable.
        OSError
            If the checkpoint cannot be written. The last one stays.
        MemoryError
            If memory cannot hold the fit: what takes how much, and what to lower.
            Asked before the first step.
        """
        callbacks = FitCallbacks(self, X, y, sample_weight)
        with self._all_or_nothing(), self._sharding() as shard:
            continued = self.warm_start and hasattr(self, "components_")
            X, dtype = check_counts(self, X, reset=not continued, whom="fit")
            corpus = shard(make_corpus(X, sample_weight), continued)
            self._check_parameters(corpus.counts)
            with self._training_session(corpus.counts, dtype) as device:
                self._fit(corpus, dtype, device, continued, callbacks)
        callbacks.fit_ends()
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None, feature_names=None):
        """Take one pass over a chunk of a corpus too large to hold.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of some documents, standing for a corpus of `total_samples`
            documents. Without `feature_names` every chunk has the same columns.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Number of times each document counts; None is once.
        feature_names : array-like of str of shape (n_features,), default=None
            The words of the columns of X, such as
            ``vectorizer.get_feature_names_out()``. Columns are then told by their
            names, in any order; known words may be absent, and new ones are appended to
            `feature_names_in_`. Their topics begin at the prior. The other methods take
            all words of `feature_names_in_`, in this order:
            ``CountVectorizer(vocabulary=lda.feature_names_in_)`` makes such X.

        Returns
        -------
        self : AmortizedLDA
            The estimator, fitted so far.

        Raises
        ------
        ValueError
            As from `fit`; or if some chunks have names and others none, or new words
            come where `topic_word_prior` is an array or `encoder` a module of your own.
        """
        with self._all_or_nothing(), self._sharding() as shard:
            continued = hasattr(self, "components_")
            X, dtype = check_chunk(self, X, feature_names, continued)
            corpus = shard(make_corpus(X, sample_weight), continued)
            self._check_parameters(corpus.counts)
            with self._training_session(corpus.counts, dtype) as device:
                self._partial_fit(corpus, dtype, device, continued)
        return self

    def transform(self, X):
        """Topic proportions of documents.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document.

        Returns
        -------
        theta : ndarray of shape (n_samples, n_components)
            E[theta_d] of each document, rows on the simplex: gamma_d normalized.
            A document without words has its prior mean. Rows do not depend on one
            another. float32 if X is, else float64.
        """
        gamma = self.doc_topic_posterior(X).concentration
        return gamma / gamma.sum(axis=1, keepdims=True)

    def doc_topic_posterior(self, X):
        """Posterior of documents' topic proportions, q(theta_d) = Dirichlet(gamma_d).

        Its mean is what `transform` returns. A mean-field posterior is too narrow: see
        the README for how much.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document.

        Returns
        -------
        posterior : DirichletPosterior
            Mean, standard deviation, credible intervals and samples; its
            `concentration` is gamma, of shape (n_samples, n_components).
        """
        X, dtype = self._check_new(X, whom="transform")
        with self._session(X) as device:
            gamma = self._inference(device).gamma(X)
        return DirichletPosterior(gamma.astype(dtype, copy=False))

    def topic_word_posterior(self):
        """Posterior of the topics, q(beta_k) = Dirichlet(lambda_k).

        Returns
        -------
        posterior : DirichletPosterior
            Mean (`topic_word_`), standard deviation, credible intervals and samples;
            its `concentration` is `components_`.
        """
        check_is_fitted(self)
        return DirichletPosterior(self.components_)

    def word_topic_posterior(self, X):
        """Posterior of the topic of each word, q(z_dv) = Categorical(r_dv).

        r_dvk is proportional to theta_dk beta_kv with beta = `topic_word_` and theta
        the expectation of the posterior of `transform` that the objective takes: all
        occurrences of a word in a document have one posterior.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document.

        Returns
        -------
        counts : csr_array of shape (n_samples, n_features)
            A copy of X with sorted indices and without duplicates and zeros.
        probabilities : ndarray of shape (counts.nnz, n_components)
            r of each entry of ``counts.data``, rows on the simplex: those of document d
            are ``probabilities[counts.indptr[d]:counts.indptr[d + 1]]``, and belong to
            the words ``counts.indices[...]`` of the same slice. float32 if X is, else
            float64: 8 x nnz x n_components bytes, so give it documents in pieces.
        """
        X, dtype = self._check_new(X, whom="word_topic_posterior")
        with self._session(X) as device:
            weights = self._inference(device).responsibilities(X)
        weights = weights.astype(dtype, copy=False)
        weights /= weights.sum(axis=1, keepdims=True)
        return X.astype(dtype), weights

    def top_words(self, n_words=10, feature_names=None):
        """The most probable words of each topic.

        Parameters
        ----------
        n_words : int, default=10
            Words of each topic.
        feature_names : array-like of shape (n_features,), default=None
            The words, such as ``vectorizer.get_feature_names_out()``. None is
            `feature_names_in_` where X had them, else 'x0', 'x1', ...

        Returns
        -------
        words : ndarray of shape (n_components, n_words), of objects
            Best first. See :func:`sklearn_amortlda.inspection.top_words` for other
            rankings than by probability.
        """
        check_is_fitted(self)
        return top_words(self, feature_names, n_words=n_words)

    def score(self, X, y=None, sample_weight=None):
        """Lower bound on the log-likelihood of documents under the fitted topics.

        .. math:: \\sum_d \\Big[ \\sum_v c_{dv} \\log \\sum_k
                  e^{E_q[\\log \\theta_{dk}]} \\beta_{kv}
                  - \\mathrm{KL}(q(\\theta_d) \\| p(\\theta_d)) \\Big]
                  \\le \\sum_d \\log p(w_d | \\alpha, \\beta)

        with beta = `topic_word_`, alpha = `doc_topic_prior_` and q(theta) the posterior
        that `transform` uses after six further steps that tighten the bound [1]_,
        whatever the objective. A sum over documents, each a term of its own: additive
        over any split of X. The topics' own divergence is no part of it.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Number of times each document counts; None is once.

        Returns
        -------
        score : float
            The bound in nats, summed over documents.
        """
        X, _ = self._check_new(X, whom="score")
        return float(self._document_bounds(X) @ check_weights(sample_weight, X))

    def perplexity(self, X, sample_weight=None):
        """exp(-`score` per word): an upper bound on the perplexity of documents.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document.
        sample_weight : array-like of shape (n_samples,), default=None
            Number of times each document counts; None is once.

        Returns
        -------
        perplexity : float
            At least 1; lower is better. Does not depend on the number of documents.

        Raises
        ------
        ValueError
            If X has no words at all.
        """
        X, _ = self._check_new(X, whom="perplexity")
        weights = check_weights(sample_weight, X)
        n_words = weights @ np.asarray(X.sum(axis=1, dtype=np.float64)).ravel()
        if not n_words:
            raise ValueError(
                "Perplexity is per word, and X has none: all its rows are 0 or have no "
                "weight."
            )
        return float(np.exp(-(weights @ self._document_bounds(X)) / n_words))

    @property
    def _n_features_out(self):
        return len(self.components_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self):
        return seal(super().__getstate__(), self._get_param_names())

    def __setstate__(self, state):
        # Parameters newer than the file have their defaults.
        parameters = signature(AmortizedLDA).parameters.values()
        defaults = {parameter.name: parameter.default for parameter in parameters}
        super().__setstate__({**defaults, **unseal(state)})

    # -- checks -------------------------------------------------------------------

    def _check_parameters(self, X):
        if isinstance(self.n_components, bool):
            raise ValueError("n_components must be a number of topics, not a bool.")
        sizes = np.asarray(self.hidden_layer_sizes)
        if (
            sizes.ndim != 1
            or not len(sizes)
            or sizes.dtype.kind != "i"
            or sizes.min() < 1
        ):
            raise ValueError(
                "hidden_layer_sizes must be one or more positive integers, got "
                f"{self.hidden_layer_sizes!r}."
            )
        if self.distributed and self.checkpoint is not None:
            raise ValueError(
                "checkpoint and distributed=True do not go together: ranks could be "
                "killed between different epochs. Set one of them back."
            )
        if callable(self.encoder) and self.word_vectors is not None:
            raise ValueError(
                "word_vectors are for encoder='mlp' and 'transformer': a module of "
                "your own begins with the vectors that you give it."
            )
        if not X.nnz:
            raise ValueError(
                "X has no words: all its entries are 0. Check the vectorizer's "
                "vocabulary and its min_df and max_df."
            )

    def _check_new(self, X, *, whom):
        check_is_fitted(self)
        return check_counts(self, X, reset=False, whom=whom)

    @contextmanager
    def _all_or_nothing(self):
        # An exception at any point leaves the model as it was.
        before = vars(self).copy()
        try:
            yield
        except BaseException:
            self.__dict__ = before  # at one blow, for there may be a second Ctrl-C
            raise

    def _sharding(self):
        if not self.distributed:
            return nullcontext(lambda corpus, continued: corpus)
        from ._distributed import sharding

        return sharding(self)

    @contextmanager
    def _session(self, X):
        from ._device import resolve_device
        from ._inference import Inference
        from ._isolation import plain_torch

        device = resolve_device(self.device)
        n_documents = min(X.shape[0], Inference.BATCH_SIZE)
        work = n_documents * X.nnz / X.shape[0] * self.n_components
        with plain_torch(device, work):
            yield device

    @contextmanager
    def _training_session(self, X, dtype):
        with self._session(X) as device, enough_memory(self, X, dtype, device):
            yield device

    # -- from parameters to the core and back -------------------------------------

    def _fit(self, corpus, dtype, device, continued, callbacks):
        from ._checkpoint import open_checkpoint
        from ._setup import fit_training

        checkpoint = open_checkpoint(self, corpus, continued)
        training = fit_training(self, corpus, device, continued, checkpoint.load())
        # Before the first epoch, so that what makes it fail does so now.
        checkpoint.epoch_ends(training)
        callbacks.dtype = dtype
        with Reporter(self.max_iter, self.verbose) as reporter:
            whole = self._train(training, dtype, (reporter, checkpoint, callbacks))
        if whole:
            self._warn_of_divergence(training.corpus)
            checkpoint.remove()

    def _partial_fit(self, corpus, dtype, device, continued):
        from ._setup import stream_training

        self._train(stream_training(self, corpus, device, continued), dtype)

    def _train(self, training, dtype, observers=()):
        """Train, and take over what was learned; returns whether to the end."""
        from ._setup import fitted_attributes
        from ._training import run

        bound, whole = np.nan, False
        try:
            run(training, observers)
            bound, whole = training.finish(), True
        except KeyboardInterrupt:
            # Other ranks would wait for this one.
            if self.distributed or not training.learned:
                raise
            training.mend()
        state, history = training.best_state(), training.history
        vars(self).update(fitted_attributes(state, history, dtype, bound))
        if not whole:
            warnings.warn(
                f"Training was interrupted after {len(history)} epochs; the estimator "
                "is fitted with what it had learned, and its bound_ is NaN.",
                stacklevel=5,
            )
        return whole

    def _warn_of_divergence(self, corpus):
        # A diverged encoder is finite, so it takes a comparison: with each word at its
        # share of the corpus, which takes no topics. The bound of short texts is loose.
        shares = corpus.word_counts
        shares = shares[shares > 0] / shares.sum()
        unigram = shares @ np.log(shares)
        bound = self.history_[-1]["bound"]
        if bound < 2.0 * min(unigram, -2.5):
            warnings.warn(
                f"Training ended with a bound of {bound:.3f} nats per word, far below "
                f"the {unigram:.3f} of no topics at all; lower learning_rate_init.",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _inference(self, device):
        import torch

        from ._encoder import load_encoder
        from ._inference import Inference
        from ._objectives import OBJECTIVES
        from ._setup import check_objective

        check_objective(self)
        factory = {"dtype": torch.float32, "device": device}

        def rows_of(matrix):
            return lambda words: torch.as_tensor(matrix[words.cpu().numpy()], **factory)

        return Inference(
            load_encoder(
                self._encoder_weights, kind=self.encoder, training=False, **factory
            ),
            rows_of(self._encoder_weights["words"]),
            OBJECTIVES[self.objective],
            rows_of(self.topic_word_.T),
            torch.tensor(self.doc_topic_prior_, **factory),
            self.refine,
        )

    def _document_bounds(self, X):
        with self._session(X) as device:
            return self._inference(device).bound(X)
