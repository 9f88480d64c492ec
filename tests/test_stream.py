"""The example `stream.py`, and training on chunks beside training on their union."""

import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from conftest import draw_corpus
from repository import ROOT, needs_repository
from scipy import sparse

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity

pytestmark = needs_repository
EXAMPLES = ROOT / "examples"

# Children are forked from a process that has imported everything and trained once, so
# that a kill hits the training. Each attempt gets more time, so that one completes on
# any machine.
KILLER = """
import os, pyro, random, signal, sys, time
from pathlib import Path
import test_stream

folder, seed = Path(sys.argv[1]), int(sys.argv[2])
random.seed(seed)
test_stream.AmortizedLDA(2).partial_fit([[3, 0, 1], [0, 2, 2]])
for attempt in range(1, 1000):
    child = os.fork()
    if not child:
        for _ in test_stream.training(folder):
            pass
        os._exit(0)
    time.sleep(random.uniform(0.0, 0.05 * attempt))
    os.kill(child, signal.SIGKILL)
    if os.waitpid(child, 0)[1] == 0:
        break
    print((folder / "model.joblib").exists())
"""


@pytest.fixture(scope="module")
def stream():
    """The example as a module."""
    return _import_stream()


def _import_stream():
    sys.path.insert(0, str(EXAMPLES))
    try:
        import stream
    finally:
        sys.path.remove(str(EXAMPLES))
    return stream


@pytest.fixture
def folder(tmp_path, corpus):
    """Six shards of 20 documents each."""
    for i, rows in enumerate(np.array_split(np.arange(120), 6)):
        sparse.save_npz(tmp_path / f"shard-{i}.npz", corpus[rows])
    return tmp_path


def training(folder, n_components=3, n_passes=3):
    """The loop of the example over a folder."""
    stream = _import_stream()
    lda = AmortizedLDA(n_components, total_samples=120, random_state=0)
    shards = stream.find_shards(folder)
    return stream.train(lda, shards, n_passes, folder / "model.joblib")


def last(iterator):
    *_, (position, lda) = iterator
    return position, lda


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked children")
def test_run_that_is_killed_many_times_equals_a_run_without_kills(folder, tmp_path):
    output = subprocess.run(
        [sys.executable, "-c", KILLER, str(folder), "0"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent)])},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert output.returncode == 0, output.stderr
    assert output.stdout.count("True") >= 3, "fewer than three kills hit the training"
    position, killed = joblib.load(folder / "model.joblib")
    (folder / "model.joblib").unlink()
    assert (position, joblib.hash(killed)) == (
        18,
        joblib.hash(last(training(folder))[1]),
    )


def test_run_that_is_stopped_between_shards_equals_a_run_without_stops(folder):
    steps = training(folder)
    for _ in range(10):
        next(steps)
    steps.close()
    position, resumed = last(training(folder))
    (folder / "model.joblib").unlink()
    assert position == 18
    assert joblib.hash(resumed) == joblib.hash(last(training(folder))[1])


def test_more_passes_continue_from_the_saved_model(folder):
    last(training(folder, n_passes=1))
    positions = [position for position, _ in training(folder, n_passes=2)]
    assert positions == list(range(6, 13))


def test_failed_save_keeps_the_earlier_file(stream, tmp_path):
    path = tmp_path / "model.joblib"
    stream.save("good", path)
    with pytest.raises(Exception, match="pickle"):
        stream.save(lambda: None, path)
    assert joblib.load(path) == "good"


def test_other_parameters_than_the_saved_ones_raise(folder):
    next(training(folder))
    with pytest.raises(SystemExit, match="other parameters"):
        next(training(folder, n_components=4))


def test_each_pass_reads_every_shard_in_another_order(stream):
    passes = [[stream.shard_at(7 * p + i, 7) for i in range(7)] for p in range(3)]
    assert all(sorted(order) == list(range(7)) for order in passes)
    assert passes[0] != passes[1] != passes[2]


def test_command_trains_continues_and_reports(
    stream, folder, corpus, monkeypatch, capsys
):
    sparse.save_npz(folder / "held-out.npz", corpus[:50])
    (folder / "words.txt").write_text("\n".join(f"word{v}" for v in range(60)))
    arguments = ["stream.py", str(folder), "--n-components", "3", "--passes"]
    for passes in "1", "2":
        monkeypatch.setattr(sys, "argv", [*arguments, passes])
        stream.main()
    first, second = capsys.readouterr().out.split("120 documents in 6 shards")[1:]
    assert first.count("pass 1, shard") == second.count("pass 2, shard") == 6
    assert second.count("word5") and second.count("topic") == 3
    assert float(second.split("perplexity")[1]) < 60


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_chunks_are_learned_as_well_as_their_union(seed):
    X = draw_corpus(1500, 6, 200, 30, seed=seed)[0]
    train, test = X[:1000], X[1000:]
    n_passes = 15
    whole = AmortizedLDA(6, max_iter=n_passes, random_state=0).fit(train)
    streamed = AmortizedLDA(6, total_samples=train.shape[0], random_state=0)
    for _ in range(n_passes):
        for start in range(0, train.shape[0], 250):
            streamed.partial_fit(train[start : start + 250])
    perplexity, expected = (
        document_completion_perplexity(lda, test) for lda in (streamed, whole)
    )
    assert perplexity < 1.02 * expected
