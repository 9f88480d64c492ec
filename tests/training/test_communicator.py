"""Two processes fit the model of one process, and none waits for a failed one."""

import multiprocessing
import re
import subprocess
import sys

import joblib
import numpy as np
import pytest
import training.ranks as ranks
from repository import ROOT, needs_repository
from scipy import sparse

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity

EXAMPLE = ROOT / "examples" / "distributed.py"

needs_forkserver = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(),
    reason="forks ranks from a process that has imported torch",
)


@pytest.fixture
def run_ranks(tmp_path):
    """Runs a function of the rank in some processes, and returns all results."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sklearn_amortlda.training.setup"])

    def run(function, *arguments, n_ranks=2):
        parents, children = zip(*(context.Pipe() for _ in range(n_ranks)))
        store = f"file://{tmp_path}/{function.__name__}"
        processes = [
            context.Process(
                target=ranks.run_rank,
                args=(child, store, rank, n_ranks, function, arguments),
            )
            for rank, child in enumerate(children)
        ]
        for process in processes:
            process.start()
        for child in children:
            child.close()
        results = [received(parent) for parent in parents]
        for process in processes:
            process.join(600)
        return results

    return run


def received(pipe):
    """The result of a rank, or None if the rank was killed."""
    assert pipe.poll(600), "a rank hangs"
    try:
        return pipe.recv()
    except EOFError:
        return None


@pytest.mark.slow
@needs_forkserver
def test_ranks_end_with_one_model_as_good_as_that_of_one_process(run_ranks):
    (lda, *hashes), (_, *others) = run_ranks(ranks.fit_one_model)
    assert hashes == others
    train, test = ranks.train_and_test()
    single = AmortizedLDA(
        9, topic_word_prior="auto", batch_size=60, max_iter=15, random_state=0
    ).fit(train)
    perplexity, expected = (
        document_completion_perplexity(model, test) for model in (lda, single)
    )
    assert perplexity < 1.03 * expected


@pytest.mark.slow
@needs_forkserver
def test_each_rank_loads_the_shards_that_it_passes(run_ranks):
    hashes = run_ranks(ranks.fit_shards)
    assert len({*hashes[0], *hashes[1]}) == 1


@pytest.mark.slow
@needs_forkserver
def test_killed_rank_ends_the_other_rank(run_ranks):
    (error, unchanged), killed = run_ranks(ranks.fit_until_rank_1_is_killed)
    assert killed is None
    assert "RuntimeError: Another rank of the distributed fit has failed" in error
    assert unchanged


@pytest.mark.slow
@needs_forkserver
def test_mistake_of_one_rank_ends_all_and_the_next_fit_succeeds(run_ranks):
    first, second = run_ranks(ranks.fit_with_mistakes)
    assert "Another rank" in first.pop("negative")
    assert "Negative values" in second.pop("negative")
    # All other mistakes raise the same error in both ranks.
    assert first == second
    assert first["none"] is None
    assert "ValueError: Ranks differ in their earlier fits" in first["history"]
    assert "differ in n_features_in_" in first["columns"]
    assert "[2, 300] documents" in first["documents"]
    assert "differ in the parameter n_components" in first["parameters"]


@pytest.mark.slow
@needs_forkserver
def test_error_that_is_kept_alive_ends_the_other_ranks(run_ranks, tmp_path):
    folder = tmp_path / "ended"
    folder.mkdir()
    results = run_ranks(ranks.keep_the_error, folder, n_ranks=3)
    assert all(ended for ended, _ in results)
    errors = [error for _, error in results]
    assert "Negative values" in errors[1]
    assert "Another rank" in errors[0] and "Another rank" in errors[2]


@pytest.mark.slow
@needs_forkserver
def test_ranks_that_disagree_raise_the_same_error(run_ranks):
    first, second = run_ranks(ranks.fit_with_disagreements)
    assert first == second
    assert "ValueError: Ranks differ in the method" in first["method"]
    assert "ValueError: Ranks differ in the dtype of X" in first["dtype"]
    assert "ValueError: Ranks differ in feature_names_in_" in first["names"]


@pytest.mark.slow
@needs_forkserver
def test_group_of_a_fit_has_the_timeout_of_the_callers_group(run_ranks):
    assert run_ranks(ranks.timeout_of_a_fit) == [ranks.TIMEOUT] * 2


@pytest.mark.slow
@needs_forkserver
def test_size_of_messages_does_not_depend_on_the_vocabulary(run_ranks):
    for narrow, wide in run_ranks(ranks.largest_messages):
        assert narrow == wide


def test_one_rank_equals_one_process(tmp_path, corpus):
    import torch.distributed as dist

    dist.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    try:
        models = [
            AmortizedLDA(3, max_iter=2, random_state=0, distributed=d).fit(corpus)
            for d in (True, False)
        ]
    finally:
        dist.destroy_process_group()
    assert np.array_equal(models[0].components_, models[1].components_)


def test_missing_process_group_raises(corpus):
    with pytest.raises(ValueError, match=r"torchrun.*init_process_group"):
        AmortizedLDA(3, distributed=True).fit(corpus)


@pytest.mark.slow
@needs_repository
@needs_forkserver
def test_example_runs_under_torchrun(tmp_path):
    train, test = ranks.train_and_test()
    for i in range(4):
        sparse.save_npz(tmp_path / f"shard-{i}.npz", train[i::4])
    sparse.save_npz(tmp_path / "held-out.npz", test)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    script = [EXAMPLE, tmp_path, "--n-components", "6", "--max-iter", "5"]
    result = subprocess.run(
        [*torchrun, "--nproc_per_node=2", *script],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    assert re.findall(r"rank \d: 300 documents", result.stdout)
    assert float(result.stdout.split("perplexity")[1]) < 150
    assert joblib.load(tmp_path / "distributed.joblib").n_iter_ == 5
