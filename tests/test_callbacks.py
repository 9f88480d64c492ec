"""scikit-learn's callbacks: every epoch is a task, also in meta-estimators."""

import pickle

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_amortlda import AmortizedLDA

# From scikit-learn 1.9 on.
sklearn_callback = pytest.importorskip("sklearn.callback")


@pytest.fixture
def lda():
    return AmortizedLDA(3, max_iter=4, hidden_layer_sizes=(8,), random_state=0)


class Spy:
    """Records the calls of its hooks; stops at the end of an epoch."""

    def __init__(self, stop_after=None):
        self.stop_after, self.calls, self.models = stop_after, [], []

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"{context.task_name} {context.task_id} begins")

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator
    ):
        self.calls.append(f"{context.task_name} {context.task_id} ends")
        self.data = X, y, metadata
        if context.task_name == "epoch":
            self.models.append(fitted_estimator)
            return len(self.models) == self.stop_after


class PropagatedSpy(Spy):
    """The same; meta-estimators pass it to their estimators."""

    max_propagation_depth = None


def by_score(estimator, X, y, sample_weight=None):
    """`score`; scoring=None of ScoringMonitor fails in scikit-learn 1.9.1."""
    return {"score": estimator.score(X, sample_weight=sample_weight)}


def without_callbacks(estimator, **parameters):
    """The same estimator, not fitted and without callbacks."""
    return clone(estimator).set_callbacks().set_params(**parameters)


def test_hooks_are_called_in_order(lda, corpus):
    spy = Spy()
    lda.set_params(max_iter=2).set_callbacks(spy).fit(corpus)
    epochs = [f"epoch {i} {hook}" for i in (0, 1) for hook in ("begins", "ends")]
    assert spy.calls == ["setup", "fit 0 begins", *epochs, "fit 0 ends", "teardown"]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_estimator_of_an_epoch_equals_a_fit_that_ends_there(
    lda, corpus, early_stopping
):
    # Rates of this schedule do not depend on max_iter.
    lda.set_params(learning_schedule="power", early_stopping=early_stopping)
    spy = Spy()
    lda.set_callbacks(spy).fit(corpus)
    assert len(spy.models) == 4
    for n_epochs, model in enumerate(spy.models, start=1):
        expected = without_callbacks(lda, max_iter=n_epochs).fit(corpus)
        assert model.history_ == expected.history_ and model.n_iter_ == n_epochs
        np.testing.assert_array_equal(model.components_, expected.components_)
        np.testing.assert_array_equal(
            model.transform(corpus), expected.transform(corpus)
        )
        assert np.isnan(model.bound_)


def test_estimator_of_an_epoch_forgets_earlier_fits(lda, corpus):
    lda.set_params(label_weight=0.5)
    lda.fit(corpus, np.arange(300) % 2, covariates=np.arange(300.0).reshape(-1, 1))
    spy = Spy()
    lda.set_params(label_weight=0.0).set_callbacks(spy).fit(corpus)
    for model in spy.models:
        fitted = {name for name in vars(model) if name.endswith("_")}
        assert fitted == {name for name in vars(lda) if name.endswith("_")}
        assert model.transform(corpus).shape == (300, 3)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("y", [None, np.zeros(300)])
def test_scoring_monitor_scores_every_epoch(lda, corpus, y, weighted):
    weights = np.random.default_rng(0).integers(0, 3, 300) if weighted else None
    monitor = sklearn_callback.ScoringMonitor(scoring=by_score)
    lda.set_callbacks(monitor).fit(corpus, y, sample_weight=weights)
    log = monitor.get_logs().data
    epochs = [row["score"] for row in log if row["task_name"] == "epoch"]
    final = lda.score(corpus, sample_weight=weights)
    assert len(epochs) == 4 and epochs[-1] == final != epochs[0]
    assert [row["score"] for row in log if row["task_name"] == "fit"] == [final]


def test_callback_stops_the_fit(lda, corpus):
    spy = Spy(stop_after=2)
    lda.set_callbacks(spy).fit(corpus)
    assert lda.n_iter_ == 2 and spy.calls[-2:] == ["fit 0 ends", "teardown"]
    np.testing.assert_array_equal(lda.components_, spy.models[-1].components_)
    assert np.isfinite(lda.bound_)


def test_callbacks_do_not_change_the_model(lda, corpus):
    plain = clone(lda).fit(corpus)
    lda.set_callbacks(Spy()).fit(corpus)
    np.testing.assert_array_equal(lda.components_, plain.components_)
    assert lda.history_ == plain.history_ and lda.bound_ == plain.bound_
    assert set(vars(lda)) == {*vars(plain), "_skl_callbacks"}
    copy = pickle.loads(pickle.dumps(lda)).fit(corpus)
    np.testing.assert_array_equal(copy.components_, plain.components_)


def test_callbacks_in_a_pipeline(lda, corpus):
    spy, propagated = Spy(stop_after=3), PropagatedSpy()
    monitor = sklearn_callback.ScoringMonitor(scoring=by_score)
    lda.set_callbacks(spy, monitor)
    pipeline = make_pipeline(FunctionTransformer(accept_sparse=True), lda)
    with pytest.warns(UserWarning, match="FunctionTransformer does not support"):
        pipeline.set_callbacks(propagated).fit(corpus)
    assert lda.n_iter_ == len(propagated.models) == 3
    scores = [row["score"] for row in monitor.get_logs().data[-3:]]
    assert scores[-1] == lda.score(corpus)
    X, y, _ = spy.data
    assert y is X


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_in_a_grid_search_with_threads(lda, corpus, n_jobs):
    monitor = sklearn_callback.ScoringMonitor(scoring=by_score)
    grid = {"doc_topic_prior": [0.1, 0.5]}
    search = GridSearchCV(lda.set_callbacks(monitor), grid, cv=2, n_jobs=n_jobs)
    with parallel_config("threading"):
        search.fit(corpus)
    log = monitor.get_logs().data
    epochs = [row for row in log if row["task_name"] == "epoch"]
    assert len(epochs) == 4 * (2 * 2 + 1)
    refitted = search.best_estimator_.score(corpus)
    assert refitted in [row["score"] for row in epochs]


def test_callback_stops_the_fits_of_a_grid_search(lda, corpus):
    class EveryFit(PropagatedSpy):
        def on_fit_task_end(self, estimator, context, **_):
            return context.task_name == "epoch" and context.task_id == 1

    search = GridSearchCV(lda, {"doc_topic_prior": [0.1, 0.5]}, cv=2)
    search.set_callbacks(EveryFit()).fit(corpus)
    assert search.best_estimator_.n_iter_ == 2


@pytest.mark.parametrize("place", ["setup", "on_fit_task_begin", "on_fit_task_end"])
def test_failing_callback_is_torn_down(lda, corpus, place):
    class Failing(Spy):
        pass

    def fail(self, *_, **__):
        raise RuntimeError("from the callback")

    setattr(Failing, place, fail)
    spy = Failing()
    with pytest.raises(RuntimeError, match="from the callback"):
        lda.set_callbacks(spy).fit(corpus)
    assert spy.calls[-1] == "teardown"
    assert set(vars(lda)) - {"_skl_callbacks"} == set(vars(clone(lda).set_callbacks()))


def test_callback_that_fails_after_the_fit_keeps_the_model(lda, corpus):
    class Failing(Spy):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "fit":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lda.set_callbacks(Failing()).fit(corpus)
    assert np.isfinite(lda.score(corpus))


@pytest.mark.parametrize("meta", ["none", "pipeline", "grid search"])
def test_progress_bar_reaches_its_end(lda, corpus, meta, capsys):
    pytest.importorskip("rich")
    bar = sklearn_callback.ProgressBar(max_propagation_depth=None)
    estimator = {
        "none": lda,
        "pipeline": make_pipeline(lda),
        "grid search": GridSearchCV(lda, {"refine": [0]}, cv=2),
    }[meta]
    estimator.set_callbacks(bar).fit(corpus)
    shown = capsys.readouterr().out
    assert "AmortizedLDA" in shown and "100%" in shown
