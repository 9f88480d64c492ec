"""One call of `fit` or `partial_fit`, from parameters and a corpus to attributes.

Input: the estimator's parameters, a corpus and the state that training continues.
Output: a dict of the fitted attributes. The estimator is not changed, so a failure
leaves it as it was.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from ..data.corpus import Corpus, make_corpus
from ..data.covariates import Standardization
from ..data.shards import Shards
from ..data.validation import canonical_counts
from ..inference.inference import BATCH_SIZE, product_size
from ..model import prior_regression
from ..runtime.device import resolve_device
from ..runtime.memory import enough_memory
from ..runtime.torch_context import isolated_torch
from . import loop
from .checkpoint import Checkpoint, NoCheckpoint, fingerprint_of
from .communicator import SingleProcess
from .config import Config, check_sizes, make_config
from .convergence import convergence_warning
from .label_calibration import label_exponent
from .observers import Reporter
from .setup import fit_training, stream_training
from .state import State, fitted_attributes
from .workers import count_workers, joined_workers

# Frames from `Session.fit` to the user's call.
_STACK_LEVEL = 4


@dataclass(frozen=True)
class Session:
    """The input of one fit.

    Attributes
    ----------
    params : dict
        The estimator's parameters.
    corpus : Corpus or Shards
        The documents of this process; shards if they are not loaded.
    dtype : numpy.dtype
        Type of the fitted topics.
    previous : State or None
        The state that training continues; None starts from random topics.
    fitted : dict
        The attributes of the fit that training continues, by name; may be empty.
    columns : dict
        The attributes that describe the columns of X, by name.
    communicator : SingleProcess or Communicator
    other_shards : sequence of Shards, default=()
        The documents of the other processes, if the user has passed shards.
    """

    params: Mapping
    corpus: Corpus
    dtype: np.dtype
    previous: State | None
    fitted: Mapping
    columns: Mapping
    communicator: SingleProcess
    other_shards: Sequence[Shards] = ()

    def fit(self, callbacks) -> dict:
        """The attributes after a fit.

        Parameters
        ----------
        callbacks : FitCallbacks

        Returns
        -------
        attributes : dict
            Values of the estimator's attributes, by name.
        """
        # Before the seed is drawn, because the draw changes a RandomState.
        checkpoint = self._checkpoint()
        with self._prepared() as config:
            saved = checkpoint.load()
            seed = saved.state.seed if saved else self._seed()
            with self._joined("fit", config, seed, saved) as own:
                training = own._training("fit", config, seed, saved)
                # Before the first epoch, so that an unwritable path raises early.
                checkpoint.epoch_ends(training, record=None)
                callbacks.attributes = own._attributes
                with Reporter(config.max_iter, self.params["verbose"]) as reporter:
                    observers = (reporter, checkpoint, callbacks)
                    bound, complete = own._run(training, observers)
                attributes = own._attributes(training, bound, calibrated=True)
            message = None
            if complete:
                message = convergence_warning(training.inference(), training.corpus)
        if complete:
            checkpoint.remove()
        if message is not None:
            warnings.warn(message, ConvergenceWarning, stacklevel=_STACK_LEVEL)
        return attributes

    def partial_fit(self) -> dict:
        """The attributes after one pass over a chunk."""
        with self._prepared() as config:
            seed = self._seed()
            with self._joined("partial_fit", config, seed) as own:
                training = own._training("partial_fit", config, seed)
                with Reporter(1, self.params["verbose"]) as reporter:
                    own._run(training, (reporter,))
                return own._attributes(training, calibrated=True)

    def loaded(self) -> Session:
        """The session of a further rank, whose corpus is loaded from its shards."""
        if not isinstance(self.corpus, Shards):
            return self
        counts = self.corpus.load(self.columns["n_features_in_"])
        counts = canonical_counts(counts, whom="AmortizedLDA.fit")
        return replace(self, corpus=make_corpus(counts, None))

    def follow(self, method: str, config: Config, seed: int, saved=None) -> None:
        """Take the steps of a further rank, without observers and results.

        Parameters
        ----------
        method : {'fit', 'partial_fit'}
        config : Config
        seed : int
        saved : Progress, default=None
            The progress that the fit continues.
        """
        work = product_size(self.corpus.counts, config.n_topics)
        with isolated_torch(config.device, work):
            training = self._training(method, config, seed, saved)
            bound, _ = self._run(training)
            # All ranks take part in the sums of these methods.
            self._attributes(training, bound, calibrated=True)

    def _training(self, method, config, seed, saved=None):
        history = self.fitted.get("history_", [])
        inputs = self.corpus, seed, self.previous, history, self.communicator
        if method == "partial_fit":
            return stream_training(config, *inputs)
        training = fit_training(config, *inputs)
        if saved:
            training.resume(saved)
        return training

    @contextmanager
    def _joined(self, method, config, seed, saved=None):
        """The session of this process; with n_jobs it has a part of the documents."""
        if self.other_shards:
            parts = [self.corpus, *self.other_shards]
        else:
            parts = self._parts(seed)
        if len(parts) == 1:
            yield self
            return
        # No worker receives the shards of the others.
        own, *others = [replace(self, corpus=part, other_shards=()) for part in parts]
        tasks = [(session, method, config, seed, saved) for session in others]
        with joined_workers(tasks) as communicator:
            yield replace(own, communicator=communicator)

    def _parts(self, seed) -> list:
        """The documents of each process, at random."""
        n_workers = count_workers(self.params["n_jobs"], len(self.corpus))
        if n_workers == 1 or self.params["distributed"]:
            return [self.corpus]
        order = np.random.default_rng(seed).permutation(len(self.corpus))
        parts = np.array_split(order, n_workers)
        return [self.corpus[np.sort(part)] for part in parts]

    def _seed(self) -> int:
        if self.previous is not None:
            return self.previous.seed
        rng = check_random_state(self.params["random_state"])
        return int(rng.randint(2**31 - 1))

    def _checkpoint(self):
        path = self.params["checkpoint"]
        if path is None:
            return NoCheckpoint()
        fingerprint = fingerprint_of(self.params, self.corpus, self.fitted or None)
        n_words, n_covariates = self.corpus.counts.shape[1], self.corpus.n_covariates
        shape = self.params["n_components"], n_words, n_covariates
        return Checkpoint(path, fingerprint, shape)

    @contextmanager
    def _prepared(self):
        """The configuration, in torch's settings for the fit.

        Raises MemoryError if memory cannot hold the fit.
        """
        X, n_topics = self.corpus.counts, self.params["n_components"]
        device = resolve_device(self.params["device"])
        n_hidden = check_sizes(self.params["hidden_layer_sizes"])[0]
        if callable(self.params["encoder"]):
            n_hidden = 0
        with (
            isolated_torch(device, product_size(X, n_topics)),
            enough_memory(n_topics, X.shape[1], n_hidden, self.dtype.itemsize, device),
        ):
            mean_length = self.corpus.n_words / self.corpus.total()
            yield make_config(
                self.params,
                X.shape[1],
                device,
                mean_length,
                self.corpus.n_labels,
                self.corpus.n_covariates,
            )

    def _run(self, training, observers=()) -> tuple[float, bool]:
        """Train; return the evidence bound or NaN, and whether training is complete."""
        try:
            loop.run(training, observers)
            return training.finish(), True
        except KeyboardInterrupt:
            # The other ranks would wait for this rank.
            distributed = not isinstance(self.communicator, SingleProcess)
            if distributed or not training.started:
                raise
            training.repair()
            warnings.warn(
                f"Training was interrupted after {len(training.history)} epochs. The "
                "estimator is fitted as of the last step, or of the best epoch with "
                "early_stopping, and its bound_ is NaN. To continue, call fit with "
                "warm_start=True, or partial_fit.",
                stacklevel=_STACK_LEVEL + 1,
            )
            return np.nan, False

    def _attributes(self, training, bound=np.nan, *, calibrated=False) -> dict:
        fitted = fitted_attributes(
            training.best_state(), training.history, self.dtype, bound
        )
        if self.corpus.covariates is not None:
            state = training.best_state()
            fitted.update(self._regression_attributes(state, summed=calibrated))
        if "topic_label_" in fitted:
            exponent = self.fitted.get("label_exponent_", 1.0)
            if calibrated:
                exponent = self._label_exponent(training, fitted, exponent)
            fitted["label_exponent_"] = exponent
        return {**fitted, **self.columns}

    def _regression_attributes(self, state, summed) -> dict:
        """The prior of a document without covariates, intercept and coefficients.

        The prior follows from the documents of all ranks if `summed`.
        """
        sums = self._moment_sums(state)
        if summed:
            sums = torch.tensor(self.communicator.add(*sums), dtype=torch.float64)
        scales = Standardization.of_model(self.columns)
        intercept, coefficients = scales.to_raw(state.alpha, state.coefficients)
        return {
            "doc_topic_prior_": prior_regression.marginal_alpha(sums).numpy(),
            "covariate_intercept_": intercept,
            "covariate_coef_": coefficients,
        }

    def _moment_sums(self, state):
        """`moment_sums` of the documents, in parts because alpha may be large."""
        parameters = torch.from_numpy(state.alpha), torch.from_numpy(state.coefficients)
        corpus, sums = self.corpus, 0.0
        for start in range(0, len(corpus), BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            covariates = torch.from_numpy(corpus.covariates[rows])
            alpha = prior_regression.alpha_of_documents(*parameters, covariates)
            weights = corpus.weights
            weights = None if weights is None else torch.from_numpy(weights[rows])
            sums = sums + prior_regression.moment_sums(alpha, weights)
        return sums

    def _label_exponent(self, training, fitted, earlier) -> float:
        """The geometric mean over the ranks; `earlier` if no document has a label."""
        own = label_exponent(training.inference(), self.corpus, fitted["topic_label_"])
        found = own is not None
        logs, n_found = self.communicator.add(np.log(own) if found else 0.0, found)
        return float(np.exp(logs / n_found)) if n_found else earlier
