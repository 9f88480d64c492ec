"""The estimator: its parameters, and the orchestration of `fit` and `partial_fit`.

Input: the user's parameters and counts. Output: a fitted model, whose other methods
are in `_fitted_model`. torch and pyro take seconds to import, so the methods that
compute import them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import copy
from numbers import Integral, Real
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin
from sklearn.utils._param_validation import Interval, StrOptions

from ._attributes import AttributesMixin
from ._callbacks import CallbackSupportMixin, FitCallbacks
from ._fit_input import FitInputMixin, checks_parameters
from ._fitted_model import FittedModelMixin
from .data.types import MatrixLike, RandomState
from .runtime.estimator_lock import one_writer

if TYPE_CHECKING:
    import torch
    from torch import nn

_PRIOR = [
    StrOptions({"auto"}),
    Interval(Real, 0, None, closed="neither"),
    "array-like",
    None,
]


class AmortizedLDA(
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    FitInputMixin,
    FittedModelMixin,
    AttributesMixin,
    BaseEstimator,
):
    r"""Latent Dirichlet Allocation with amortized variational inference.

    The model is that of Blei, Ng and Jordan [1]_: topics
    :math:`\beta_k \sim \mathrm{Dirichlet}(\eta)`, documents' topic proportions
    :math:`\theta_d \sim \mathrm{Dirichlet}(\alpha)`, and word counts with

    .. math:: \log p(w_d | \theta_d, \beta)
              = \sum_v c_{dv} \log \sum_k \theta_{dk} \beta_{kv}.

    An encoder network maps the counts of a document to the posterior of its topic
    proportions in one pass. Pyro's SVI trains the encoder by Adam on mini-batches of
    the evidence lower bound. The posterior of the topics takes natural-gradient steps
    on the same bound [2]_. New documents cost a forward pass and a few products.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.
    doc_topic_prior : 'auto', None, float or array-like, default='auto'
        alpha, the Dirichlet prior of the documents' topic proportions; a number, or an
        array of shape (n_components,). Small values give documents with few topics.
        'auto' learns one value per topic. The initial values are at most 0.1 on average
        and fall by Zipf's law, so that common words get a topic of their own. None is
        1 / n_components, as in scikit-learn.
    topic_word_prior : 'auto', None, float or array-like, default=0.03
        eta, the Dirichlet prior of the topics' words; a number, or an array of shape
        (n_features,) or (n_components, n_features). Small values give topics with few
        words. 'auto' learns one number. An alpha that is 'auto' too is then learned
        with it, both by Monte Carlo EM, whose estimates have no bias. None is
        1 / n_components, as in scikit-learn.
    objective : str, default='completion'
        The objective of training.

        - 'completion': the likelihood at the expectations of theta and beta. In every
          batch the encoder reads a random half of each document's words. The other half
          updates the topics and alpha.
        - 'bound': the evidence lower bound of [1]_ and [2]_, which scikit-learn's and
          gensim's LDA maximize.
        - 'sampled': a Monte-Carlo estimate of this bound, with pathwise gradients
          through draws of theta.
        - 'logistic_normal': like 'sampled', with a logistic-normal posterior and the
          Laplace approximation of the Dirichlet prior [3]_.
    encoder : {'mlp', 'transformer'} or callable, default='mlp'
        The network from counts to hidden units. A linear layer and a batch norm after
        it compute the parameters of the posterior.

        - 'mlp': softplus layers, the first over logarithms of counts.
        - 'transformer': softplus layers that also attend to the document's distinct
          words, in up to four heads [4]_.
        - A callable ``encoder(n_features, n_hidden)`` that returns a torch Module, such
          as the class of the module. The module is called with the counts as a sparse
          CSR tensor of shape (n_documents, n_features), float32, on `device`. It
          returns a tensor of shape (n_documents, n_hidden), where n_hidden is the last
          of `hidden_layer_sizes`. Documents may be empty. The learned weights are
          stored as arrays, and loaded into a module that the callable builds. So every
          call must build the same architecture. Pickling the estimator pickles the
          callable. `random_state` seeds torch's global generators for the initial
          weights and dropout.
    hidden_layer_sizes : array-like of int, default=(100,)
        Widths of the encoder's hidden layers.
    word_vectors : array-like of shape (n_features, n_dims), default=None
        Pretrained vectors of the words, which initialize the encoder's word embedding.
        A random matrix projects them if n_dims is not the width of the first layer. A
        row of zeros or NaN marks a word without a vector. None is a random embedding.
        An error if `encoder` is a callable.
    refine : int, default=3
        Fixed-point steps of the classical E-step after the encoder, when theta is
        inferred. 0 is the encoder alone: fastest, less accurate.
    learning_rate_init : float, default=0.002
        Initial learning rate of the encoder (Adam).
    learning_schedule : {'auto', 'cosine', 'power'}, default='auto'
        Step sizes of the topics. 'cosine' falls from 1 to 0 over `max_iter` epochs, and
        the encoder's learning rate falls to a twentieth; with `early_stopping` both are
        constant at first. 'power' is (`learning_offset` + t) ** -`learning_decay` after
        t batches. 'auto' is 'cosine' in `fit` and 'power' in `partial_fit`. Choose
        'cosine' for a stream that ends after `max_iter` passes over `total_samples`
        documents. During training, duplicate topics are merged and others are split.
    learning_decay : float, default=0.55
        kappa of the 'power' schedule. Values in (0.5, 1] guarantee convergence.
    learning_offset : float, default=10.0
        tau_0 of the 'power' schedule. Large values reduce the first step sizes.
    max_iter : int, default=20
        Epochs of `fit`, which are passes over the training data. `partial_fit` uses it
        with learning_schedule='cosine' only.
    batch_size : int or 'auto', default='auto'
        Documents in a batch. 'auto' is the number that has 20,000 non-zeros in X,
        between 64 and 256. A small corpus has 20 batches, of at least 16 documents.
        Late in training, 'auto' merges up to eight batches into one step [5]_.
    total_samples : int, default=1_000_000
        Documents in the corpus whose chunks `partial_fit` receives; not used in `fit`.
    n_jobs : int, default=None
        Processes of `fit` and `partial_fit`, and threads of `transform`, `score` and
        `perplexity`; -1 is one for each core. None is 1 unless in a
        ``joblib.parallel_config`` block. Each process trains on its own documents, and
        the models are averaged several times in an epoch. So the topics depend on the
        number of processes, and equal fits are equal bit for bit. A process needs 2,000
        documents. Inside of joblib's workers and with its threads a fit has one
        process. The results of threads do not depend on their number.
    label_weight : float, default=0.0
        Label tokens that training adds for each word of a labelled document, see the
        user guide. 0 ignores y. With 0.5 topics separate the classes well.
    early_stopping : bool, default=False
        Whether `fit` holds out `validation_fraction` of the documents, and stops when
        the prediction of one half of their words from the other half no longer improves
        by 1e-4 nats per word. `fit` keeps the model of the best epoch.
    validation_fraction : float, default=0.1
        Share of the documents to hold out; not used without `early_stopping`.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops. With 'cosine' the step
        sizes first fall to 0, over at most as many epochs as were trained. Not used
        without `early_stopping`.
    warm_start : bool, default=False
        Whether `fit` continues the last fit, optimizer included, for another `max_iter`
        epochs. With learning_schedule='power' two fits of n epochs equal one of 2n bit
        for bit, unless topics were split. With 'cosine' step sizes of the topics fall
        again, from 0.3.
    device : str or torch.device, default='auto'
        Device of the computation: 'auto' ('cuda' where available, else 'cpu'), 'cpu',
        'cuda', 'cuda:1', 'mps' (not tested). A fitted model holds no device and works
        anywhere.
    distributed : bool, default=False
        Whether the ranks of torch.distributed's default process group fit one model
        together. Each rank calls `fit` or `partial_fit` with the same parameters and
        columns, on its own documents, and ends with the same model. `batch_size` counts
        the documents of all ranks.
    checkpoint : str or path-like, default=None
        A file that `fit` writes after every epoch and removes at its end. If the
        process is killed, the same call (parameters, data and `random_state`) continues
        from the file, to the same result bit for bit on one device and number of
        threads. A file of another fit is an error, so parallel fits (as in a grid
        search) cannot share a file. The file has about the size of a saved model, twice
        that with `early_stopping`. Not used in `partial_fit`.
    verbose : int, default=0
        1 or more shows a progress bar. The logger 'sklearn_amortlda' logs epochs.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial topics and encoder, of shuffling and of sampling. With an
        int, two fits on one device and number of threads are equal bit for bit.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        lambda, the parameters of the topics' Dirichlet posteriors. As in scikit-learn,
        `components_[k, v]` is a pseudo-count of word v in topic k.
    topic_word_ : ndarray of shape (n_components, n_features)
        E[beta], the topics: each row is a distribution over words.
    bound_ : float
        Evidence lower bound on log p(X | alpha, eta) of the training documents of
        `fit`, in nats, including the term of the topics. NaN after an interrupt, and
        after `partial_fit`, where the bound would take longer than the training.
    history_ : list of dict
        One record per epoch or chunk: 'epoch'; 'bound', the training bound in nats per
        word, at the encoder's posterior and the topics of every eighth step; and with
        `early_stopping` 'validation_score', the held-out log-likelihood per word.
    n_iter_ : int
        Number of records in `history_`.
    n_batch_iter_ : int
        Steps that the model has taken.
    doc_topic_prior_ : ndarray of shape (n_components,)
        alpha, as given or learned. With covariates the prior of a document whose
        covariates are unknown: it has the mean and variance of the documents' priors.
    topic_word_prior_ : float or ndarray
        eta, in the shape of the parameter; a number if learned.
    classes_ : ndarray of shape (n_classes,)
        Classes of y, if `label_weight` is positive.
    topic_label_ : ndarray of shape (n_components, n_classes)
        p(label | topic); each row is a distribution over `classes_`.
    label_exponent_ : float
        Exponent that calibrates `label_proba` on training documents.
    covariate_coef_ : ndarray of shape (n_components, n_covariates)
        Change of log alpha by a unit of each covariate [6]_, if `fit` had covariates.
    covariate_intercept_ : ndarray of shape (n_components,)
        log alpha where all covariates are 0.
    covariate_names_in_ : ndarray of shape (n_covariates,)
        Names of the covariates, if they had column names.
    n_features_in_ : int
        Number of words seen in `fit` or `partial_fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the words, if X had column names or `feature_names` were passed.

    See Also
    --------
    sklearn.decomposition.LatentDirichletAllocation : LDA without an encoder.

    References
    ----------
    .. [1] Blei, Ng & Jordan (2003), "Latent Dirichlet Allocation", JMLR 3.
    .. [2] Hoffman, Blei, Wang & Paisley (2013), "Stochastic Variational Inference",
           JMLR 14.
    .. [3] Srivastava & Sutton (2017), "Autoencoding Variational Inference for Topic
           Models", ICLR.
    .. [4] Jaegle, Gimeno, Brock, Vinyals, Zisserman & Carreira (2021), "Perceiver:
           General Perception with Iterative Attention", ICML.
    .. [5] Smith, Kindermans, Ying & Le (2018), "Don't Decay the Learning Rate, Increase
           the Batch Size", ICLR.
    .. [6] Mimno & McCallum (2008), "Topic Models Conditioned on Arbitrary Features with
           Dirichlet-multinomial Regression", UAI.

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

    # No link in the HTML diagram, because no documentation is hosted.
    _doc_link_module = ""

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "doc_topic_prior": _PRIOR,
        "topic_word_prior": _PRIOR,
        "objective": [
            StrOptions({"completion", "bound", "sampled", "logistic_normal"})
        ],
        "encoder": [StrOptions({"mlp", "transformer"}), callable],
        "hidden_layer_sizes": ["array-like"],
        "word_vectors": ["array-like", None],
        "refine": [Interval(Integral, 0, 1000, closed="both")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "learning_schedule": [StrOptions({"auto", "cosine", "power"})],
        "learning_decay": [Interval(Real, 0, 1, closed="both")],
        "learning_offset": [Interval(Real, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "total_samples": [Interval(Real, 0, 1e15, closed="right")],
        "n_jobs": [Integral, None],
        "label_weight": [Interval(Real, 0, 1e6, closed="both")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        # Validated by resolve_device, whose error lists the available devices.
        "device": "no_validation",
        "distributed": ["boolean"],
        "checkpoint": [str, os.PathLike, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 10,
        *,
        doc_topic_prior: float | str | ArrayLike | None = "auto",
        topic_word_prior: float | str | ArrayLike | None = 0.03,
        objective: str = "completion",
        encoder: str | Callable[[int, int], nn.Module] = "mlp",
        hidden_layer_sizes: ArrayLike = (100,),
        word_vectors: ArrayLike | None = None,
        refine: int = 3,
        learning_rate_init: float = 0.002,
        learning_schedule: str = "auto",
        learning_decay: float = 0.55,
        learning_offset: float = 10.0,
        max_iter: int = 20,
        batch_size: int | str = "auto",
        total_samples: float = 1_000_000,
        n_jobs: int | None = None,
        label_weight: float = 0.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        device: str | torch.device = "auto",
        distributed: bool = False,
        checkpoint: str | os.PathLike | None = None,
        verbose: int = 0,
        random_state: RandomState = None,
    ) -> None:
        self.n_components = n_components
        self.doc_topic_prior = doc_topic_prior
        self.topic_word_prior = topic_word_prior
        self.objective = objective
        self.encoder = encoder
        self.hidden_layer_sizes = hidden_layer_sizes
        self.word_vectors = word_vectors
        self.refine = refine
        self.learning_rate_init = learning_rate_init
        self.learning_schedule = learning_schedule
        self.learning_decay = learning_decay
        self.learning_offset = learning_offset
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.total_samples = total_samples
        self.n_jobs = n_jobs
        self.label_weight = label_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.device = device
        self.distributed = distributed
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.random_state = random_state

    @checks_parameters
    def fit(
        self,
        X: MatrixLike,
        y: MatrixLike | None = None,
        sample_weight: ArrayLike | None = None,
        covariates: MatrixLike | None = None,
    ) -> AmortizedLDA:
        """Learn the topics and the encoder from word counts.

        Ctrl-C ends the fit with a warning, and the estimator is fitted as of the last
        step. Before the first step KeyboardInterrupt is raised. From scikit-learn 1.9
        on, callbacks (`set_callbacks`) receive each epoch as a task. A callback that
        returns True ends the fit. The fitted estimators that callbacks receive have a
        `bound_` of NaN. If y is None, callbacks receive X as y.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document. Rows of zeros are allowed. Or a list of shards
            of the documents: sparse matrices, functions that return them, or Dask's
            delayed objects. Each process of `n_jobs` loads its own shards.
        y : array-like of shape (n_samples,) or {array-like, sparse matrix} of shape \
                (n_samples, n_classes), default=None
            Labels of the documents, used if `label_weight` is positive: a class for
            each document, with -1, None or NaN for documents without a label; or a
            matrix of zeros and ones, for documents with several labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Number of times each document counts; None is once. Results with weights
            of 1 are those without weights, bit for bit. Documents of weight 0 have no
            effect. Other weights equal repetition in expectation, because batches are
            random, and halves of documents too with objective='completion'.
        covariates : array-like of shape (n_samples, n_covariates), default=None
            Metadata of the documents as numbers, which shift the prior of theta:
            alpha_d = exp(intercept + coef . covariates_d).

        Returns
        -------
        self : AmortizedLDA
            The fitted estimator.

        Raises
        ------
        ValueError
            If X is empty, all zero, malformed, negative, not finite or complex, the
            device is not available, or the checkpoint is damaged or belongs to another
            fit. After any error the estimator keeps its earlier fit.
        FloatingPointError
            If training diverges to NaN or infinity.
        OSError
            If the checkpoint cannot be written. The earlier checkpoint is kept.
        MemoryError
            If memory cannot hold the fit. The message names the parameter to lower.
        """
        # Also where scikit-learn's setting skip_parameter_validation is on.
        self._validate_params()
        with one_writer(self):
            # The copy receives the columns of X, and `self` changes only at the end.
            model = copy(self) if self.warm_start else self._unfitted()
            callbacks = FitCallbacks(self, X, y, sample_weight, covariates)
            with model._communicator() as communicator:
                new = not model._fitted()
                X, shards = model._own_shards(X, sample_weight, covariates)
                counts, dtype = model._check_counts(X, reset=new, whom="fit")
                shares = model._check_labels(y, counts.shape[0])
                covariates = model._check_covariates(covariates, counts.shape[0])
                documents = counts, shares, covariates, sample_weight
                session = model._session(
                    "fit", documents, dtype, communicator, other_shards=shards
                )
                fitted = session.fit(callbacks)
            self._assign(fitted)
            callbacks.fit_ends()
        return self

    @checks_parameters
    def partial_fit(
        self,
        X: MatrixLike,
        y: MatrixLike | None = None,
        sample_weight: ArrayLike | None = None,
        feature_names: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        covariates: MatrixLike | None = None,
    ) -> AmortizedLDA:
        """Take one pass over a chunk of a corpus that is too large for memory.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of some documents of a corpus of `total_samples` documents.
            Without `feature_names` every chunk has the same columns.
        y : array-like or sparse matrix, default=None
            Labels as in `fit`. None is a chunk without labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Number of times each document counts; None is once.
        feature_names : array-like of str of shape (n_features,), default=None
            The words of the columns of X, such as
            ``vectorizer.get_feature_names_out()``. Columns are then identified by their
            names and may come in any order. Known words may be absent. New words are
            appended to `feature_names_in_` and start at the prior in every topic. Other
            methods take all words of `feature_names_in_`, in this order:
            ``CountVectorizer(vocabulary=lda.feature_names_in_)`` makes such X.
        classes : array-like of shape (n_classes,), default=None
            All classes of all chunks. Needed in the first call if `label_weight` is
            positive.
        covariates : array-like of shape (n_samples, n_covariates), default=None
            As in `fit`, for all chunks or none. The first chunk determines the scales
            in which the prior of the coefficients is standard normal; a column that is
            constant in it has scale 1. `doc_topic_prior_` follows from the documents of
            the last chunk.

        Returns
        -------
        self : AmortizedLDA
            The estimator, fitted to all chunks so far.

        Raises
        ------
        ValueError
            As from `fit`. Also if only some chunks have names, or if words are new and
            `topic_word_prior` is an array or `encoder` a callable.
        """
        # scikit-learn validates the parameters of an unfitted estimator only.
        self._validate_params()
        with one_writer(self):
            model = copy(self)
            with model._communicator() as communicator:
                counts, dtype, new = model._check_chunk(X, feature_names)
                model._check_classes(classes)
                shares = model._check_labels(y, counts.shape[0])
                covariates = model._check_covariates(covariates, counts.shape[0])
                documents = counts, shares, covariates, sample_weight
                session = model._session(
                    "partial_fit", documents, dtype, communicator, new
                )
                fitted = session.partial_fit()
            self._assign(fitted)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
