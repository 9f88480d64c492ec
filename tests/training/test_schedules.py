"""Rates of training, and the number of batches that a step merges."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.training.schedules import Cosine, Plateau, Power

SCHEDULES = {
    "cosine": Cosine(0, 400),
    "warm cosine": Cosine(100, 400, 0.3),
    "plateau that has ended": Plateau(0, 20).cool_down(0, 400),
    "power": Power(10.0, 0.55),
    "constant": Power(1.0, 0.0),
}
# Batches in an epoch of the corpus with batch_size='auto'.
N_BATCHES = 19
every_schedule = pytest.mark.parametrize("name", SCHEDULES)


def times_and_sizes(schedule, start=0, n_batches=400):
    """Time of each step, and the number of batches that it merges."""
    steps = schedule.steps(start, n_batches)
    return start + np.cumsum([0, *steps[:-1]]), np.array(steps)


@every_schedule
def test_steps_merge_more_batches_only_as_rates_fall(name):
    schedule = SCHEDULES[name]
    start = getattr(schedule, "start", 0)
    times, steps = times_and_sizes(schedule, start)
    assert steps.sum() == 400 and set(steps) <= {1, 2, 4, 8}
    # The last step has the batches that are left.
    assert np.all(np.diff(steps[:-1]) >= 0)
    for time, n_merged in zip(times, steps):
        rate = schedule.topics(time)
        assert n_merged == 1 or n_merged * rate <= schedule.max_step_size + 1e-12
        assert n_merged >= min(schedule.max_step_size / rate / 2, 8, 400 - time)
    if name == "constant":
        assert np.all(steps == 1)
    else:
        assert steps[-2] >= 4


def test_first_half_of_a_fit_merges_no_batches():
    times, steps = times_and_sizes(SCHEDULES["cosine"])
    assert np.all(steps[times < 200] == 1)


def test_steps_end_with_the_epoch():
    steps = SCHEDULES["cosine"].steps(380, 20)
    assert steps == [8, 8, 4]
    assert SCHEDULES["cosine"].steps(399, 1) == [1]


@every_schedule
def test_merged_step_has_the_rate_of_its_batches(name):
    schedule = SCHEDULES[name]
    for time in (150, 300, 470):
        for n_merged in (1, 2, 8):
            kept = (1.0 - schedule.topics(time)) ** n_merged
            assert_allclose(1.0 - schedule.topics(time, n_merged), kept)
            alpha = n_merged * schedule.alpha(time)
            assert_allclose(schedule.alpha(time, n_merged), alpha)
            assert schedule.encoder(time, n_merged) >= schedule.encoder(time)


@pytest.mark.parametrize(
    "name", ["cosine", "warm cosine", "plateau that has ended", "power"]
)
def test_number_of_searches_does_not_depend_on_merging(name):
    schedule = SCHEDULES[name]
    start = getattr(schedule, "start", 0)
    searches = []
    for n_merged in (1, 4):
        ends = np.arange(start + n_merged, start + 401, n_merged).tolist()
        found = [schedule.searches_duplicates(end - n_merged, end) for end in ends]
        searches.append(sum(found))
    assert searches[0] > 5 and abs(searches[0] - searches[1]) <= 1


def test_plateau_has_constant_rates_and_then_those_of_a_cosine():
    plateau = Plateau(100, 20, 0.5)
    times = np.arange(140, 900, 7).tolist()
    constant = {
        (plateau.topics(t), plateau.encoder(t), plateau.alpha(t)) for t in times
    }
    assert len(constant) == 1 and constant.pop()[:2] == (0.5, 1.0)
    falling, cosine = plateau.cool_down(400, 500), Cosine(400, 500, 0.5)
    for time in range(400, 900):
        assert falling.topics(time, 2) == cosine.topics(time, 2)
        assert falling.encoder(time, 2) == cosine.encoder(time, 2)
    assert falling.alpha(400) == plateau.alpha(400) > 10 * falling.alpha(850) > 0


def test_plateau_changes_alpha_and_topics_from_the_third_epoch_on():
    plateau = Plateau(100, 20)
    assert plateau.alpha(139) == 0 < plateau.alpha(140)
    ends = np.arange(101, 221)
    found = [end for end in ends if plateau.searches_duplicates(end - 1, end)]
    assert found == [140, 160, 180, 200, 220]
    # Not in the second half of the cosine: topics that move could not settle.
    falling = plateau.cool_down(140, 80)
    found = [end for end in ends if falling.searches_duplicates(end - 1, end)]
    assert found == [140, 160, 180]


def small_lda(**parameters):
    return AmortizedLDA(4, random_state=0, **parameters)


def test_automatic_batches_are_merged_and_given_ones_are_not(corpus):
    merged = small_lda(max_iter=10).fit(corpus)
    assert 100 < merged.n_batch_iter_ < 10 * N_BATCHES
    given = small_lda(max_iter=10, batch_size=16).fit(corpus)
    assert given.n_batch_iter_ == 10 * N_BATCHES


def test_warm_start_continues_the_power_schedule(corpus):
    settings = {"learning_schedule": "power", "warm_start": True}
    twice = small_lda(max_iter=4, **settings).fit(corpus).fit(corpus)
    once = small_lda(max_iter=8, **settings).fit(corpus)
    assert once.n_batch_iter_ == twice.n_batch_iter_ < 8 * N_BATCHES
    assert_array_equal(once.components_, twice.components_)


def test_stream_of_known_length_has_the_cosine_schedule_of_fit(corpus):
    settings = {"learning_schedule": "cosine", "max_iter": 8}
    stream = small_lda(total_samples=corpus.shape[0], **settings)
    for _ in range(8):
        stream.partial_fit(corpus)
    whole = small_lda(**settings).fit(corpus)
    assert stream.n_batch_iter_ == whole.n_batch_iter_ < 8 * N_BATCHES
    assert_array_equal(stream.components_, whole.components_)


def test_chain_of_the_priors_runs_late_in_training():
    cosine = SCHEDULES["cosine"]
    ends = np.arange(1, 401).tolist()
    runs = [end for end in ends if cosine.runs_chain(end - 1, end)]
    assert runs == list(range(180, 401, 20))
    plateau = Plateau(0, 20)
    assert not any(plateau.runs_chain(end - 1, end) for end in ends)
    falling = plateau.cool_down(0, 400)
    assert [end for end in ends if falling.runs_chain(end - 1, end)] == runs
