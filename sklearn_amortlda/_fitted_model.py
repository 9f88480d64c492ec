"""What a fitted model computes: posteriors, topics and bounds of documents, top words.

Input: counts of new documents. Output: topic proportions, posteriors and scores; and
documents drawn from the model. The methods import torch, so that importing the package
is fast.
"""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from operator import is_
from typing import Literal, overload
from weakref import WeakKeyDictionary

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import TransformerMixin
from sklearn.utils import check_array
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils.validation import (
    _check_n_features,
    check_is_fitted,
    validate_data,
)

from .data.array_api import like, to_numpy
from .data.corpus import Corpus
from .data.labels import sharpened
from .data.shards import refuse_shards
from .data.types import MatrixLike, RandomState
from .data.validation import canonical_counts, check_weights, well_formed
from .inference.mcmc import draw_posterior
from .inference.posterior import (
    DirichletPosterior,
    SampledPosterior,
    check_method,
    check_n_samples,
    draw_seed,
    draws_of_topics,
)
from .inference.sampling import check_lengths, draw_documents
from .inspection import top_words
from .metrics._checks import check_integers
from .runtime.process_lock import import_lock

# Arrays of the fitted model that `transform` uses. Training assigns new arrays.
_LOADED_ARRAYS = ("_encoder_weights", "topic_word_", "doc_topic_prior_")
# Those that only a model with covariates has.
_REGRESSION = ("covariate_intercept_", "covariate_coef_")
# Draws of uncertain topics in `doc_topic_posterior`.
_TOPIC_DRAWS = 10
_WHOLE_WORDS = "method='mcmc' draws a topic for each word, and X has fractions"
# The inference of each estimator's latest call: not an attribute, so that pickles and
# copies do not contain it.
_loaded: WeakKeyDictionary = WeakKeyDictionary()


class FittedModelMixin(TransformerMixin):
    """The methods of `AmortizedLDA` that need a fitted model."""

    def transform(
        self, X: MatrixLike, covariates: MatrixLike | None = None
    ) -> np.ndarray:
        """Topic proportions of documents.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document.
        covariates : array-like of shape (n_samples, n_covariates), default=None
            Covariates of the documents, if the model was fitted with covariates. None
            is the prior of a document whose covariates are unknown.

        Returns
        -------
        theta : ndarray of shape (n_samples, n_components)
            E[theta_d] of each document, gamma_d normalized; rows on the simplex. A
            document without words has the mean of the prior. The result of a row does
            not depend on other rows. float32 if X is, else float64. With scikit-learn's
            setting ``array_api_dispatch`` an array in the namespace and on the device
            of X.
        """
        gamma = self.doc_topic_posterior(X, covariates=covariates).concentration
        return like(gamma / gamma.sum(axis=1, keepdims=True), X)

    def fit_transform(
        self,
        X: MatrixLike,
        y: MatrixLike | None = None,
        sample_weight: ArrayLike | None = None,
        covariates: MatrixLike | None = None,
    ) -> np.ndarray:
        """Fit the model to X, and return the topic proportions of the documents.

        Parameters
        ----------
        X, y, sample_weight, covariates
            As in `fit`.

        Returns
        -------
        theta : ndarray of shape (n_samples, n_components)
            As from `transform`.
        """
        refuse_shards(X, "fit_transform")
        self.fit(X, y, sample_weight=sample_weight, covariates=covariates)
        return self.transform(X, covariates)

    def predict(
        self, X: MatrixLike, covariates: MatrixLike | None = None
    ) -> np.ndarray:
        """The topic that each document is most about.

        .. math:: \\arg\\max_k \\frac{E[\\theta_{dk} | w_d]}{E[\\theta_{dk}]}
                  = \\arg\\max_k \\frac{\\gamma_{dk}}{\\alpha_k}

        This is the topic under which the document is most likely: the ratio is
        p(w_d | z = k) / p(w_d), where z is the topic of one further word. The largest
        proportion is often that of a background topic, whose prior alpha_k is large in
        every document; ``transform(X).argmax(axis=1)`` returns it.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document.
        covariates : array-like of shape (n_samples, n_covariates), default=None
            Covariates of the documents, if the model was fitted with covariates. None
            is the prior of a document whose covariates are unknown.

        Returns
        -------
        topics : ndarray of shape (n_samples,), of ints
            Indices of topics. A document without words has the topic with the largest
            prior.
        """
        with self._reading(X, covariates, whom="predict") as (documents, _, inference):
            return self._in_threads(inference, inference.assign, documents)

    def fit_predict(
        self,
        X: MatrixLike,
        y: MatrixLike | None = None,
        sample_weight: ArrayLike | None = None,
        covariates: MatrixLike | None = None,
    ) -> np.ndarray:
        """Fit the model to X, and return the topic that each document is most about.

        Parameters
        ----------
        X, y, sample_weight, covariates
            As in `fit`.

        Returns
        -------
        topics : ndarray of shape (n_samples,), of ints
            As from `predict`.
        """
        refuse_shards(X, "fit_predict")
        self.fit(X, y, sample_weight=sample_weight, covariates=covariates)
        return self.predict(X, covariates)

    def sample(
        self,
        n_samples: int = 1,
        n_words: ArrayLike = 100,
        *,
        random_state: RandomState = None,
    ) -> tuple[sp.csr_array, np.ndarray]:
        """Draw documents from the model.

        Each document has theta_d ~ Dirichlet(alpha), and its words are drawn from
        theta_d beta. alpha is `doc_topic_prior_`, and beta is `topic_word_`.

        Parameters
        ----------
        n_samples : int, default=1
            Number of documents.
        n_words : int or array-like of shape (n_samples,), default=100
            Words of each document; the model has no distribution of lengths. An array
            such as ``rng.poisson(80, n_samples)`` gives a length to each document.
        random_state : int, RandomState instance or None, default=None
            Pass an int for equal draws in every call.

        Returns
        -------
        X : csr_array of shape (n_samples, n_features), of int64
            Word counts.
        theta : ndarray of shape (n_samples, n_components)
            The topic proportions of the documents, rows on the simplex.

        Raises
        ------
        ValueError
            If `n_samples` is not a positive integer, or `n_words` does not hold
            integers from 0 on.
        """
        model = copy(self)
        check_is_fitted(model)
        lengths = check_lengths(n_words, n_samples)
        return draw_documents(
            model.doc_topic_prior_,
            model.topic_word_,
            lengths,
            np.random.default_rng(draw_seed(random_state)),
        )

    @overload
    def doc_topic_posterior(
        self,
        X: MatrixLike,
        *,
        method: Literal["variational"] = "variational",
        covariates: MatrixLike | None = None,
    ) -> DirichletPosterior: ...

    @overload
    def doc_topic_posterior(
        self,
        X: MatrixLike,
        *,
        method: Literal["mcmc"],
        n_samples: int = 100,
        random_state: RandomState = None,
        covariates: MatrixLike | None = None,
        topics: DirichletPosterior | SampledPosterior | None = None,
    ) -> SampledPosterior: ...

    def doc_topic_posterior(
        self,
        X: MatrixLike,
        *,
        method: str = "variational",
        n_samples: int = 100,
        random_state: RandomState = None,
        covariates: MatrixLike | None = None,
        topics: DirichletPosterior | SampledPosterior | None = None,
    ) -> DirichletPosterior | SampledPosterior:
        """Posterior of documents' topic proportions theta_d.

        The topics are `topic_word_`, as if they were known, unless `topics` is given.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document. 'mcmc' needs integers.
        method : {'variational', 'mcmc'}, default='variational'
            - 'variational': q(theta_d) = Dirichlet(gamma_d), whose mean is the result
              of `transform`. It is too narrow where topics share words;
              docs/numbers.md has measurements.
            - 'mcmc': draws of a Markov chain that converges to the exact posterior
              [1]_. Its intervals have their nominal coverage. It takes milliseconds
              for a document, some hundred times as long as `transform`.
        n_samples : int, default=100
            Draws for each document with 'mcmc', at least 4. The memory is that of
            n_samples x n_documents x n_components float32 numbers, so pass a large
            corpus in parts.
        random_state : int, RandomState instance or None, default=None
            Seed of 'mcmc'. With equal seeds the draws of a document depend on its words
            and not on the other documents, so equal documents have equal draws.
        covariates : array-like of shape (n_samples, n_covariates), default=None
            Covariates of the documents, if the model was fitted with covariates. None
            is the prior of a document whose covariates are unknown.
        topics : DirichletPosterior or SampledPosterior, default=None
            Posterior of the topics, from `topic_word_posterior`, for 'mcmc'. Ten draws
            of the topics take equal shares of the draws of theta, so that the intervals
            contain the uncertainty of the topics.

        Returns
        -------
        posterior : DirichletPosterior or SampledPosterior
            Mean, standard deviation, credible intervals and samples. Its
            `concentration` is gamma, of shape (n_samples, n_components), or its
            `samples` are the draws, of shape (n_samples, n_documents, n_components).

        Raises
        ------
        ValueError
            If `method` is unknown, or with 'mcmc' X has fractions, or `n_samples` is
            not an integer from 4 on, or `topics` are given without 'mcmc' or have
            another shape.

        References
        ----------
        .. [1] T. L. Griffiths & M. Steyvers (2004). Finding scientific topics. PNAS.
           The paper sums theta out. Here theta is drawn, and moves of pairs of topics
           are added, which docs/numbers.md describes.
        """
        check_method(method)
        if method == "mcmc":
            check_n_samples(n_samples, minimum=4)
        elif topics is not None:
            raise ValueError("topics need method='mcmc', which draws theta and topics.")
        with self._reading(X, covariates, whom="transform") as read:
            documents, dtype, inference = read
            if method == "mcmc":
                check_integers(documents.counts, _WHOLE_WORDS)
            gamma = self._in_threads(inference, inference.gamma, documents)
        if method == "variational":
            return DirichletPosterior(gamma.astype(dtype, copy=False))
        seed = draw_seed(random_state)
        topic_word = inference.topics.topic_word
        drawn = [topic_word]
        if topics is not None:
            n_draws = min(_TOPIC_DRAWS, n_samples)
            drawn = draws_of_topics(topics, topic_word.shape, n_draws, seed)
        samples = draw_posterior(
            documents.counts,
            drawn,
            inference.alpha_of(documents),
            gamma,
            n_samples=n_samples,
            seed=seed,
            n_jobs=self.n_jobs,
        )
        return SampledPosterior(samples)

    def label_proba(
        self, X: MatrixLike, covariates: MatrixLike | None = None
    ) -> np.ndarray:
        """Probabilities of the labels of documents, p(label | words).

        The result is theta . `topic_label_` to the power of `label_exponent_`,
        normalized. theta is the result of `transform`. The exponent calibrates the
        probabilities on training documents.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document.
        covariates : array-like of shape (n_samples, n_covariates), default=None
            Covariates of the documents, if the model was fitted with covariates. None
            is the prior of a document whose covariates are unknown.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; rows on the simplex. With several labels for
            each document, the shares of the labels.

        Raises
        ------
        ValueError
            If the model was fitted without labels.
        """
        model = copy(self)
        check_is_fitted(model)
        if not hasattr(model, "topic_label_"):
            raise ValueError(
                "The model was fitted without labels: fit it with label_weight > 0 and "
                "labels y."
            )
        with self._reading(X, covariates, whom="label_proba", model=model) as read:
            documents, dtype, inference = read
            gamma = self._in_threads(inference, inference.gamma, documents)
        theta = DirichletPosterior(gamma.astype(dtype, copy=False)).mean
        labels = theta @ model.topic_label_.astype(theta.dtype, copy=False)
        return sharpened(labels, model.label_exponent_)

    @overload
    def topic_word_posterior(
        self, X: None = None, *, method: Literal["variational"] = "variational"
    ) -> DirichletPosterior: ...

    @overload
    def topic_word_posterior(
        self,
        X: MatrixLike,
        *,
        method: Literal["mcmc"],
        n_samples: int = 100,
        random_state: RandomState = None,
        covariates: MatrixLike | None = None,
    ) -> SampledPosterior: ...

    def topic_word_posterior(
        self,
        X: MatrixLike | None = None,
        *,
        method: str = "variational",
        n_samples: int = 100,
        random_state: RandomState = None,
        covariates: MatrixLike | None = None,
    ) -> DirichletPosterior | SampledPosterior:
        """Posterior of the topics beta.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of the training documents, integers. Needed for 'mcmc', and not
            used otherwise.
        method : {'variational', 'mcmc'}, default='variational'
            - 'variational': q(beta_k) = Dirichlet(lambda_k) of the fit. It ignores that
              the topics of the words are uncertain, so it is too narrow;
              docs/numbers.md has measurements.
            - 'mcmc': draws of a Markov chain over the topics of all words, theta and
              beta [1]_, which starts at the fitted model. alpha and eta are those of
              the fit. Each document counts once, whatever its weight in the fit, and
              labels are not used. It takes several times as long as `fit`, and longer
              without numba.
        n_samples : int, default=100
            Draws of 'mcmc', at least 4. Half as many come before the first one. The
            memory is that of n_samples x n_components x n_features float32 numbers.
        random_state : int, RandomState instance or None, default=None
            Seed of 'mcmc'.
        covariates : array-like of shape (n_samples, n_covariates), default=None
            Covariates of the documents, if the model was fitted with covariates.

        Returns
        -------
        posterior : DirichletPosterior or SampledPosterior
            Mean, standard deviation, credible intervals and samples. The
            `concentration` of the first is `components_`. The `samples` of the second
            are the draws, of shape (n_samples, n_components, n_features). Topics keep
            their order, because the chain is too short to exchange them.

        Raises
        ------
        ValueError
            If `method` is unknown, or with 'mcmc' X is missing or has fractions, or
            `n_samples` is not an integer from 4 on.

        References
        ----------
        .. [1] J. K. Pritchard, M. Stephens & P. Donnelly (2000). Inference of
           population structure using multilocus genotype data. Genetics 155. The same
           Gibbs sampler, of a model that equals LDA.
        """
        check_method(method)
        model = copy(self)
        check_is_fitted(model)
        if method == "variational":
            return DirichletPosterior(model.components_)
        check_n_samples(n_samples, minimum=4)
        if X is None:
            raise ValueError(
                "method='mcmc' draws the topics of the training documents again: pass "
                "these documents, topic_word_posterior(X, method='mcmc')."
            )
        with import_lock():
            from .inference.topic_chain import draw_topics

        whom = "topic_word_posterior"
        with self._reading(X, covariates, whom=whom, model=model) as read:
            documents, _, inference = read
            check_integers(documents.counts, _WHOLE_WORDS)
            gamma = self._in_threads(inference, inference.gamma, documents)
            samples = draw_topics(
                documents.counts,
                gamma / gamma.sum(axis=1, keepdims=True),
                inference.topics.topic_word,
                inference.alpha_of(documents),
                model.topic_word_prior_,
                n_samples=n_samples,
                rng=np.random.default_rng(draw_seed(random_state)),
            )
        return SampledPosterior(samples)

    def word_topic_posterior(
        self, X: MatrixLike, covariates: MatrixLike | None = None
    ) -> tuple[sp.csr_array, np.ndarray]:
        """Posterior of the topic of each word, q(z_dv) = Categorical(r_dv).

        r_dvk is proportional to theta_dk beta_kv. beta is `topic_word_`. theta is an
        expectation under `doc_topic_posterior`: the arithmetic mean with
        objective='completion', else the geometric mean. All occurrences of a word in a
        document have the same posterior.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document.
        covariates : array-like of shape (n_samples, n_covariates), default=None
            Covariates of the documents, if the model was fitted with covariates. None
            is the prior of a document whose covariates are unknown.

        Returns
        -------
        counts : csr_array of shape (n_samples, n_features)
            A copy of X with sorted indices, without duplicates and zeros.
        probabilities : ndarray of shape (counts.nnz, n_components)
            r of each entry of ``counts.data``, rows on the simplex. The rows of
            document d are ``probabilities[counts.indptr[d]:counts.indptr[d + 1]]``; the
            same slice of ``counts.indices`` has their words. float32 if X is, else
            float64. The array has nnz x n_components entries, so pass a large corpus
            in parts.
        """
        whom = "word_topic_posterior"
        with self._reading(X, covariates, whom=whom) as (documents, dtype, inference):
            weights = inference.responsibilities(documents)
        weights = weights.astype(dtype, copy=False)
        weights /= weights.sum(axis=1, keepdims=True)
        return sp.csr_array(documents.counts, dtype=dtype, copy=True), weights

    def top_words(
        self,
        feature_names: ArrayLike | None = None,
        *,
        n_words: int = 10,
        ranking: str | ArrayLike = "lift",
    ) -> np.ndarray:
        """The top words of each topic.

        Parameters
        ----------
        feature_names : array-like of shape (n_features,), default=None
            The words, such as ``vectorizer.get_feature_names_out()``. None is
            `feature_names_in_` where X had column names, else 'x0', 'x1', ...
        n_words : int, default=10
            Words of each topic.
        ranking : {'lift', 'probability'} or array-like of shape (n_components, \
                n_features), default='lift'
            What ranks the words of a topic. 'lift' ranks by how many times more
            frequent a word is in the topic than in the corpus, shrunk for rare words
            (:func:`sklearn_amortlda.inspection.topic_lift`), and 'probability' by its
            probability in the topic. An array holds scores, such as those of
            :func:`sklearn_amortlda.inspection.topic_relevance`.

        Returns
        -------
        words : ndarray of shape (n_components, n_words), of objects
            Best first.
        """
        model = copy(self)
        check_is_fitted(model)
        return top_words(model, feature_names, n_words=n_words, ranking=ranking)

    def score(
        self,
        X: MatrixLike,
        y: object = None,
        sample_weight: ArrayLike | None = None,
        covariates: MatrixLike | None = None,
    ) -> float:
        """Lower bound on the log-likelihood of documents under the fitted topics.

        .. math:: \\sum_d \\Big[ \\sum_v c_{dv} \\log \\sum_k
                  e^{E_q[\\log \\theta_{dk}]} \\beta_{kv}
                  - \\mathrm{KL}(q(\\theta_d) \\| p(\\theta_d)) \\Big]
                  \\le \\sum_d \\log p(w_d | \\alpha, \\beta)

        beta is `topic_word_`, and alpha is `doc_topic_prior_`. q(theta) is
        `doc_topic_posterior` after six more steps of the E-step, which raise the bound.
        The score is this bound for every objective. Each document has its own term, so
        the score is additive over any split of X. The divergence of the topics is not
        included.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Number of times each document counts; None is once.
        covariates : array-like of shape (n_samples, n_covariates), default=None
            Covariates of the documents, if the model was fitted with covariates. None
            is the prior of a document whose covariates are unknown.

        Returns
        -------
        score : float
            The bound in nats, summed over documents.
        """
        with self._reading(X, covariates, whom="score") as (documents, _, inference):
            weights = check_weights(sample_weight, documents.counts)
            bounds = self._in_threads(inference, inference.bound, documents)
            return float(bounds @ weights)

    def perplexity(
        self,
        X: MatrixLike,
        sample_weight: ArrayLike | None = None,
        covariates: MatrixLike | None = None,
    ) -> float:
        """exp(-`score` per word), an upper bound on the perplexity of documents.

        Parameters
        ----------
        X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
            Word counts of each document.
        sample_weight : array-like of shape (n_samples,), default=None
            Number of times each document counts; None is once.
        covariates : array-like of shape (n_samples, n_covariates), default=None
            Covariates of the documents, if the model was fitted with covariates. None
            is the prior of a document whose covariates are unknown.

        Returns
        -------
        perplexity : float
            At least 1; lower is better.

        Raises
        ------
        ValueError
            If X has no words.
        """
        with self._reading(X, covariates, whom="perplexity") as read:
            documents, _, inference = read
            counts = documents.counts
            weights = check_weights(sample_weight, counts)
            n_words = weights @ np.asarray(counts.sum(axis=1, dtype=np.float64)).ravel()
            if not n_words:
                raise ValueError(
                    "Perplexity is per word, and X has no words: all its rows are 0 or "
                    "have weight 0. Pass documents with words and positive weights."
                )
            bounds = self._in_threads(inference, inference.bound, documents)
            return float(np.exp(-(weights @ bounds) / n_words))

    @property
    def _n_features_out(self):
        return len(self.components_)

    def _check_counts(self, X, *, reset, whom):
        """Canonical counts of X, and the dtype of results: float32 if X is."""
        options = {
            "accept_sparse": "csr",
            "dtype": [np.float64, np.float32],
            "order": "C",
        }
        refuse_shards(X, whom)
        X = to_numpy(well_formed(X))
        if sp.issparse(X) and not reset:
            # validate_data would warn that X has no names, which no sparse X has.
            X = check_array(X, estimator=self, **options)
            _check_n_features(self, X, reset=False)
        else:
            X = validate_data(self, X, reset=reset, **options)
        return canonical_counts(X, whom=f"AmortizedLDA.{whom}"), X.dtype

    def _check_new(self, X, *, whom):
        check_is_fitted(self)
        # `fit` validates all parameters, but the user may have set these since.
        used = ("encoder", "objective", "refine")
        validate_parameter_constraints(
            {name: self._parameter_constraints[name] for name in used},
            {name: getattr(self, name) for name in used},
            caller_name=type(self).__name__,
        )
        return self._check_counts(X, reset=False, whom=whom)

    def _in_threads(self, inference, method, documents):
        """method(documents) of the inference, in `n_jobs` threads."""
        with import_lock():
            from .inference.threads import in_threads

        alpha = inference.alpha
        return in_threads(method, documents, self.n_jobs, alpha.device, len(alpha))

    @contextmanager
    def _reading(self, X, covariates=None, *, whom, model=None):
        """Checked documents, the dtype of results, and inference of the fitted model.

        All of them are of one moment, that of `model`, a copy of `self` that None
        makes, so a concurrent fit has no effect. torch has the settings for products of
        X's size.
        """
        with import_lock():
            from .inference.inference import product_size
            from .runtime.device import resolve_device
            from .runtime.torch_context import isolated_torch

        model = copy(self) if model is None else model
        X, dtype = model._check_new(X, whom=whom)
        if covariates is not None:
            covariates = model._check_new_covariates(covariates, X.shape[0])
        documents = Corpus(X, covariates=covariates)
        device = resolve_device(model.device)
        with isolated_torch(device, product_size(X, len(model.components_))):
            yield documents, dtype, self._loaded_inference(model, device)

    def _loaded_inference(self, model, device):
        """Inference of a copy of `self`, loaded again only after a change."""
        with import_lock():
            from .inference.inference import fitted_inference
            from .training.setup import check_objective
            from .training.state import regression_of

        names = (*_LOADED_ARRAYS, *_REGRESSION, "encoder", "objective", "refine")
        sources = [getattr(model, name, None) for name in names]
        earlier, earlier_device, inference = _loaded.get(self, ([], None, None))
        unchanged = len(earlier) == len(sources) and all(map(is_, earlier, sources))
        if unchanged and earlier_device == device:
            return inference
        *arrays, _, _, encoder, objective, n_refine = sources
        check_objective(objective, len(model.components_), model._encoder_weights)
        inference = fitted_inference(
            *arrays,
            regression_of(model._fitted()),
            encoder=encoder,
            objective=objective,
            n_refine=n_refine,
            device=device,
        )
        _loaded[self] = sources, device, inference
        return inference
