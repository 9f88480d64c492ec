"""The caller's settings of torch do not change a fit."""

from concurrent.futures import ThreadPoolExecutor

import joblib
import pytest
import torch
from numpy.testing import assert_array_equal
from runtime.global_state import global_state, small_lda

from sklearn_amortlda.runtime.torch_context import isolated_torch, seeded_torch

CPU = torch.device("cpu")
SURROUNDINGS = [
    torch.no_grad,
    torch.inference_mode,
    lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    lambda: torch.device("meta"),
]


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"objective": "sampled"},
        {"early_stopping": True, "topic_word_prior": "auto"},
        {"encoder": "transformer"},
    ],
    ids=lambda parameters: "-".join(parameters) or "default",
)
def test_surrounding_contexts_do_not_change_a_fit(corpus, surroundings, parameters):
    expected = small_lda(**parameters).fit(corpus)
    with surroundings():
        found = small_lda(**parameters).fit(corpus)
        theta = found.transform(corpus)
    assert_array_equal(found.components_, expected.components_)
    assert_array_equal(theta, expected.transform(corpus))


def test_default_dtype_does_not_change_a_fit(corpus):
    expected = small_lda().fit(corpus)
    torch.set_default_dtype(torch.float64)
    try:
        found = small_lda().fit(corpus)
    finally:
        torch.set_default_dtype(torch.float32)
    assert_array_equal(found.components_, expected.components_)


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_settings_are_restored_after_an_error(surroundings, error):
    with surroundings():
        before = global_state()
        with pytest.raises(error), isolated_torch(CPU, 1.0), seeded_torch(3, CPU):
            assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
            assert not torch.is_autocast_enabled("cpu")
            torch.rand(3, device=CPU)
            raise error
        assert global_state() == before


def test_draws_depend_on_the_seed_alone():
    draws = []
    for seed in (3, 3, 4):
        with seeded_torch(seed, CPU):
            draws.append(torch.rand(3).tolist())
        torch.rand(1)
    assert draws[0] == draws[1] != draws[2]


def test_small_products_use_one_thread_in_a_new_thread():
    # torch applies its own number of threads in the first call of each thread.
    def n_threads():
        with isolated_torch(CPU, 1.0):
            return torch.get_num_threads()

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(n_threads).result() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [2, 4])
def test_workers_of_joblib_share_the_cores(corpus, n_jobs):
    def threads():
        small_lda().fit(corpus)
        return torch.get_num_threads()

    found = joblib.Parallel(n_jobs)(joblib.delayed(threads)() for _ in range(n_jobs))
    assert max(found) <= max(joblib.cpu_count() // n_jobs, 1)
