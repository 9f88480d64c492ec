"""scikit-learn's callbacks: an epoch is a task, alone and inside meta-estimators."""

import pickle

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_amortlda import AmortizedLDA

sklearn_callback = pytest.importorskip("sklearn.callback")  # scikit-learn 1.9


@pytest.fixture
def lda():
    return AmortizedLDA(3, max_iter=4, hidden_layer_sizes=(8,), random_state=0)


class Spy:
    """Keeps what the hooks are told; stops at the end of an epoch."""

    def __init__(self, stop_after=None):
        self.stop_after, self.told, self.models = stop_after, [], []

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(f"{context.task_name} {context.task_id} begins")

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator
    ):
        self.told.append(f"{context.task_name} {context.task_id} ends")
        self.data = X, y, metadata
        if context.task_name == "epoch":
            self.models.append(fitted_estimator)
            return len(self.models) == self.stop_after


class PropagatedSpy(Spy):
    """The same, which meta-estimators pass on."""

    max_propagation_depth = None


def by_score(estimator, X, y, sample_weight=None):
    """`score`; of 1.9.1's ScoringMonitor, scoring=None fails with any estimator."""
    return {"score": estimator.score(X, sample_weight=sample_weight)}


def without(callbacks_of, **parameters):
    """The same estimator without callbacks."""
    return clone(callbacks_of).set_callbacks().set_params(**parameters)


def test_the_hooks_in_their_order(lda, corpus):
    spy = Spy()
    lda.set_params(max_iter=2).set_callbacks(spy).fit(corpus)
    epochs = [f"epoch {i} {hook}" for i in (0, 1) for hook in ("begins", "ends")]
    assert spy.told == ["setup", "fit 0 begins", *epochs, "fit 0 ends", "teardown"]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_fitted_estimator_is_as_if_fit_stopped(lda, corpus, early_stopping):
    # By a schedule that does not know its end.
    lda.set_params(learning_schedule="power", early_stopping=early_stopping)
    spy = Spy()
    lda.set_callbacks(spy).fit(corpus)
    assert len(spy.models) == 4
    for n_epochs, model in enumerate(spy.models, start=1):
        expected = without(lda, max_iter=n_epochs).fit(corpus)
        assert model.history_ == expected.history_ and model.n_iter_ == n_epochs
        np.testing.assert_array_equal(model.components_, expected.components_)
        np.testing.assert_array_equal(
            model.transform(corpus), expected.transform(corpus)
        )
        assert np.isnan(model.bound_)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("y", [None, np.zeros(300)])
def test_scoring_monitor_scores_each_epoch(lda, corpus, y, weighted):
    weights = np.random.default_rng(0).integers(0, 3, 300) if weighted else None
    monitor = sklearn_callback.ScoringMonitor(scoring=by_score)
    lda.set_callbacks(monitor).fit(corpus, y, sample_weight=weights)
    log = monitor.get_logs().data
    epochs = [row["score"] for row in log if row["task_name"] == "epoch"]
    final = lda.score(corpus, sample_weight=weights)
    assert len(epochs) == 4 and epochs[-1] == final != epochs[0]
    assert [row["score"] for row in log if row["task_name"] == "fit"] == [final]


def test_a_callback_stops_the_fit(lda, corpus):
    spy = Spy(stop_after=2)
    lda.set_callbacks(spy).fit(corpus)
    assert lda.n_iter_ == 2 and spy.told[-2:] == ["fit 0 ends", "teardown"]
    np.testing.assert_array_equal(lda.components_, spy.models[-1].components_)
    assert np.isfinite(lda.bound_)


def test_callbacks_change_nothing(lda, corpus):
    plain = clone(lda).fit(corpus)
    lda.set_callbacks(Spy()).fit(corpus)
    np.testing.assert_array_equal(lda.components_, plain.components_)
    assert lda.history_ == plain.history_ and lda.bound_ == plain.bound_
    assert set(vars(lda)) == {*vars(plain), "_skl_callbacks"}
    copy = pickle.loads(pickle.dumps(lda)).fit(corpus)
    np.testing.assert_array_equal(copy.components_, plain.components_)


def test_in_a_pipeline(lda, corpus):
    spy, passed_on = Spy(stop_after=3), PropagatedSpy()
    monitor = sklearn_callback.ScoringMonitor(scoring=by_score)
    lda.set_callbacks(spy, monitor)
    pipeline = make_pipeline(FunctionTransformer(accept_sparse=True), lda)
    with pytest.warns(UserWarning, match="FunctionTransformer does not support"):
        pipeline.set_callbacks(passed_on).fit(corpus)
    assert lda.n_iter_ == len(passed_on.models) == 3
    scores = [row["score"] for row in monitor.get_logs().data[-3:]]
    assert scores[-1] == lda.score(corpus)
    assert spy.data[1] is spy.data[0]  # no y


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_in_a_grid_search_of_threads(lda, corpus, n_jobs):
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


def test_a_callback_stops_the_fits_of_a_grid_search(lda, corpus):
    class EveryFit(PropagatedSpy):
        def on_fit_task_end(self, estimator, context, **_):
            return context.task_name == "epoch" and context.task_id == 1

    search = GridSearchCV(lda, {"doc_topic_prior": [0.1, 0.5]}, cv=2)
    search.set_callbacks(EveryFit()).fit(corpus)
    assert search.best_estimator_.n_iter_ == 2


@pytest.mark.parametrize("place", ["setup", "on_fit_task_begin", "on_fit_task_end"])
def test_a_failing_callback_is_torn_down(lda, corpus, place):
    class Failing(Spy):
        pass

    def fail(self, *_, **__):
        raise RuntimeError("of the callback")

    setattr(Failing, place, fail)
    spy = Failing()
    with pytest.raises(RuntimeError, match="of the callback"):
        lda.set_callbacks(spy).fit(corpus)
    assert spy.told[-1] == "teardown"
    assert set(vars(lda)) - {"_skl_callbacks"} == set(vars(clone(lda).set_callbacks()))


def test_a_callback_that_fails_at_the_very_end_loses_no_model(lda, corpus):
    class Failing(Spy):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "fit":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lda.set_callbacks(Failing()).fit(corpus)
    assert np.isfinite(lda.score(corpus))


@pytest.mark.parametrize("meta", ["none", "pipeline", "grid search"])
def test_progress_bar(lda, corpus, meta, capsys):
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
