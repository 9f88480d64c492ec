"""The input of one fit: validated counts, labels and the state that training continues.

Input: what the user passes to `fit` or `partial_fit`. Output: a `Session`. The mixin
assigns the columns and the classes to the estimator, which is a copy of the user's.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import TypeVar

import numpy as np
import scipy.sparse as sp
from sklearn.base import _fit_context

from .data.corpus import make_corpus
from .data.covariates import Standardization, check_covariates
from .data.labels import check_classes, encode_labels, with_label_columns
from .data.shards import Shards, is_shards
from .data.validation import fractions_warning
from .data.vocabulary import align_columns, check_names, has_names
from .runtime.process_lock import import_lock
from .training.state import state_from

# Frames from `_session` to the user's call.
_STACK_LEVEL = 4

Method = TypeVar("Method", bound=Callable)


def checks_parameters(method: Method) -> Method:
    """Decorate a method with scikit-learn's checks of the parameters.

    scikit-learn's decorator has no types, and a decorated method would lose its own.
    """
    return _fit_context(prefer_skip_nested_validation=True)(method)


class FitInputMixin:
    """Checks of the input of a fit."""

    def _communicator(self):
        if not self.distributed:
            return nullcontext()
        with import_lock():
            from .training.communicator import process_group

        return process_group()

    def _own_shards(self, X, *others):
        """The counts of this process, and the shards of the other processes.

        Returns X and no shards if X is no list of shards.
        """
        if not is_shards(X):
            return X, ()
        if self.label_weight or hasattr(self, "classes_"):
            raise ValueError(
                "X is a list of shards, which have no labels: set label_weight=0 and "
                "warm_start=False, or pass one matrix X."
            )
        if any(value is not None for value in others):
            raise ValueError(
                "X is a list of shards, which have no sample_weight and covariates: "
                "leave these out, or pass one matrix X."
            )
        with import_lock():
            from .training.workers import available_workers

        shards = Shards.of(X)
        n_workers = 1 if self.distributed else available_workers(self.n_jobs)
        own, *rest = shards.dealt(max(1, min(n_workers, len(shards))))
        if rest and self.checkpoint is not None:
            raise ValueError(
                "checkpoint cannot be combined with shards in several processes, whose "
                "documents it cannot compare: set checkpoint=None or n_jobs=1."
            )
        return own.load(), rest

    def _session(
        self, method, documents, dtype, communicator, new_words=(), other_shards=()
    ):
        """The `Session` of one fit.

        `documents` are counts, shares of labels, covariates and sample weights.
        """
        counts, shares, covariates, sample_weight = documents
        with import_lock():
            from .training.communicator import SingleProcess, check_agreement
            from .training.session import Session

        communicator = communicator or SingleProcess()
        params, fitted = self.get_params(deep=False), self._fitted()
        facts = {
            "the method": method,
            "n_features_in_": self.n_features_in_,
            "feature_names_in_": getattr(self, "feature_names_in_", None),
            "classes_": getattr(self, "classes_", None),
            "the number of covariates": None
            if covariates is None
            else covariates.shape[1],
            "the dtype of X": dtype.str,
            "their earlier fits": fitted.get("n_batch_iter_"),
        }
        check_agreement(communicator, params, facts)
        message = fractions_warning(counts)
        if message is not None:
            warnings.warn(message, UserWarning, stacklevel=_STACK_LEVEL)
        n_labels = shares.shape[1]
        if n_labels:
            counts = with_label_columns(counts, shares, self.label_weight)
        corpus = make_corpus(counts, sample_weight, n_labels, covariates)
        if not corpus.counts.nnz:
            raise ValueError(
                "X has no words: all its entries are 0. Check the vectorizer's "
                "vocabulary and its min_df and max_df."
            )
        if covariates is not None:
            corpus = self._standardized(corpus, communicator)
        previous = state_from(fitted, new_words, n_labels) if fitted else None
        return Session(
            params,
            corpus,
            dtype,
            previous,
            fitted,
            self._columns(),
            communicator,
            other_shards,
        )

    def _check_chunk(self, X, feature_names):
        """Counts in the columns of the model, their dtype, and the new words.

        The number and the names of the columns are assigned to `self`.
        """
        fitted = bool(self._fitted())
        known = getattr(self, "feature_names_in_", None)
        if feature_names is None:
            if fitted and known is not None and not has_names(X):
                raise ValueError(
                    "Earlier chunks had names for their columns, and this chunk has "
                    "none; pass feature_names, which identify the columns."
                )
            counts, dtype = self._check_counts(X, reset=not fitted, whom="partial_fit")
            return counts, dtype, ()
        if fitted and known is None:
            raise ValueError(
                "feature_names came with this chunk, and earlier chunks had no names "
                "for their columns: pass them from the first chunk on, or never."
            )
        # The chunk may have any width.
        chunk = self._unfitted()
        counts, dtype = chunk._check_counts(X, reset=True, whom="partial_fit")
        names = check_names(feature_names, counts.shape[1])
        new = ()
        if fitted:
            counts, new = align_columns(counts, names, known)
            names = np.concatenate([known, new])
        self.n_features_in_, self.feature_names_in_ = len(names), names
        return counts, dtype, new

    def _check_labels(self, y, n_samples):
        """The share of each class in the labels of each document, (n, n_classes).

        The classes are assigned to `self`. There are none if no fit has used labels.
        """
        known = getattr(self, "classes_", None)
        if not self.label_weight:
            n_classes = 0 if known is None else len(known)
            return sp.csr_array((n_samples, n_classes))
        self.classes_, shares = encode_labels(y, n_samples, known)
        return shares

    def _check_covariates(self, covariates, n_samples):
        """The covariates as an array, None if the model has none.

        The names of the columns are assigned to `self`.
        """
        known = self._n_covariates()
        if covariates is None and not known:
            return None
        names = getattr(self, "covariate_names_in_", None)
        values, new_names = check_covariates(covariates, n_samples, known, names)
        if known is None and new_names is not None:
            self.covariate_names_in_ = new_names
        return values

    def _check_new_covariates(self, covariates, n_samples):
        """Standardized covariates of documents, for the fitted model."""
        names = getattr(self, "covariate_names_in_", None)
        values, _ = check_covariates(covariates, n_samples, self._n_covariates(), names)
        return Standardization.of_model(vars(self)).apply(values)

    def _n_covariates(self):
        """Number of covariates of the model, None before the first fit."""
        if not self._fitted():
            return None
        return len(getattr(self, "_covariate_scale", ()))

    def _standardized(self, corpus, communicator):
        """A corpus of standardized covariates; a first fit assigns means and scales."""
        values, weights = corpus.covariates, corpus.weights
        if not hasattr(self, "_covariate_scale"):
            weights = np.ones(len(corpus)) if weights is None else weights
            found = Standardization.of(values, weights, communicator.add)
            self._covariate_mean, self._covariate_scale = found.mean, found.scale
        values = Standardization.of_model(vars(self)).apply(values)
        return replace(corpus, covariates=values)

    def _check_classes(self, classes):
        """Assign the classes of a stream at its first chunk."""
        known = getattr(self, "classes_", None)
        if self.label_weight:
            self.classes_ = check_classes(classes, known)
