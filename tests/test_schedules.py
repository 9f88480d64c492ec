"""Rates of training, and steps of several batches at once."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda._schedules import Cosine, Power

SCHEDULES = {
    "cosine": Cosine(0, 400),
    "warm cosine": Cosine(100, 400, 0.3),
    "power": Power(10.0, 0.55),
    "constant": Power(1.0, 0.0),
}
# An epoch of the corpus, in automatic batches.
N_BATCHES = 19
of_schedules = pytest.mark.parametrize("name", SCHEDULES)


def times(schedule, start=0, n_batches=400):
    """Times and lengths of steps."""
    steps = schedule.steps(start, n_batches)
    return start + np.cumsum([0, *steps[:-1]]), np.array(steps)


@of_schedules
def test_steps_grow_only_as_rates_fall(name):
    schedule = SCHEDULES[name]
    start = getattr(schedule, "start", 0)
    begins, steps = times(schedule, start)
    assert steps.sum() == 400 and set(steps) <= {1, 2, 4, 8}
    assert np.all(np.diff(steps[:-1]) >= 0)  # the last is what is left
    for time, at_once in zip(begins, steps):
        rate = schedule.topics(time)
        assert at_once == 1 or at_once * rate <= schedule.most_forgotten + 1e-12
        assert at_once >= min(schedule.most_forgotten / rate / 2, 8, 400 - time)
    if name == "constant":
        assert np.all(steps == 1)
    else:
        assert steps[-2] >= 4


def test_a_fit_begins_with_single_batches():
    begins, steps = times(SCHEDULES["cosine"])
    assert np.all(steps[begins < 200] == 1)


def test_an_epoch_takes_no_more_than_its_batches():
    steps = SCHEDULES["cosine"].steps(380, 20)
    assert steps == [8, 8, 4]
    assert SCHEDULES["cosine"].steps(399, 1) == [1]


@of_schedules
def test_several_batches_take_the_way_of_so_many(name):
    schedule = SCHEDULES[name]
    for time in (150, 300, 470):
        for at_once in (1, 2, 8):
            kept = (1.0 - schedule.topics(time)) ** at_once
            assert_allclose(1.0 - schedule.topics(time, at_once), kept)
            alpha = at_once * schedule.alpha(time)
            assert_allclose(schedule.alpha(time, at_once), alpha)
            assert schedule.encoder(time, at_once) >= schedule.encoder(time)


@pytest.mark.parametrize("name", ["cosine", "warm cosine", "power"])
def test_looks_for_duplicates_are_as_many_in_large_steps(name):
    schedule = SCHEDULES[name]
    start = getattr(schedule, "start", 0)
    looks = []
    for at_once in (1, 4):
        ends = np.arange(start + at_once, start + 401, at_once)
        looks.append(sum(schedule.recycles(t - at_once, t) for t in ends.tolist()))
    assert looks[0] > 5 and abs(looks[0] - looks[1]) <= 1


def lda(**parameters):
    return AmortizedLDA(4, random_state=0, **parameters)


def test_automatic_batches_grow_and_given_ones_do_not(corpus):
    grown = lda(max_iter=10).fit(corpus)
    assert 100 < grown.n_batch_iter_ < 10 * N_BATCHES
    given = lda(max_iter=10, batch_size=16).fit(corpus)
    assert given.n_batch_iter_ == 10 * N_BATCHES


def test_rates_of_a_warm_start_and_a_stream_go_on(corpus):
    settings = {"learning_schedule": "power", "warm_start": True}
    twice = lda(max_iter=4, **settings).fit(corpus).fit(corpus)
    once = lda(max_iter=8, **settings).fit(corpus)
    assert once.n_batch_iter_ == twice.n_batch_iter_ < 8 * N_BATCHES
    assert_array_equal(once.components_, twice.components_)

    total = {"total_samples": corpus.shape[0]}
    stream = lda(learning_schedule="cosine", max_iter=8, **total)
    for _ in range(8):
        stream.partial_fit(corpus)
    whole = lda(learning_schedule="cosine", max_iter=8).fit(corpus)
    assert stream.n_batch_iter_ == whole.n_batch_iter_ < 8 * N_BATCHES
    assert_array_equal(stream.components_, whole.components_)
