"""A killed fit continues from its checkpoint to the result of an undisturbed fit."""

import copy
import errno
import functools
import json
import os
import pathlib
import resource
import socket
import subprocess
import sys

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from encoder.modules import Dense
from torch import nn

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.data.corpus import Corpus
from sklearn_amortlda.runtime.serialization import FITTED
from sklearn_amortlda.training.checkpoint import fingerprint_of
from sklearn_amortlda.training.config import make_config
from sklearn_amortlda.training.early_stopping import HeldOutDocuments
from sklearn_amortlda.training.loop import Training
from sklearn_amortlda.training.session import Session
from sklearn_amortlda.training.svi import SVI

SMALL = {
    "n_components": 8,
    "max_iter": 6,
    "hidden_layer_sizes": (8,),
    "random_state": 0,
}


class Killed(Exception):
    pass


@pytest.fixture
def corpus(corpus):
    return corpus[:120]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.npz"


def fitted_state(lda):
    return {name: joblib.hash(vars(lda)[name]) for name in FITTED if name in vars(lda)}


def killed_after(monkeypatch, n_epochs, lda, X, **data):
    """Fit, and raise before the epoch that follows `n_epochs` epochs."""
    original, n_calls = Training._train, [0]

    def train(*args):
        n_calls[0] += 1
        if n_calls[0] > n_epochs:
            raise Killed
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_train", train)
        with pytest.raises(Killed):
            lda.fit(X, **data)
    return lda


@pytest.mark.parametrize(
    "parameters",
    [
        # Merges and splits topics, and learns alpha.
        {},
        {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 12},
        {"topic_word_prior": "auto"},
        {"learning_schedule": "power", "objective": "sampled"},
        {"encoder": "transformer", "max_iter": 3},
        {"topic_word_prior": np.linspace(0.01, 0.1, 60), "objective": "bound"},
    ],
    ids=lambda parameters: "-".join(parameters) or "default",
)
def test_killed_fit_continues_bit_for_bit(corpus, path, monkeypatch, parameters):
    parameters = {**SMALL, **parameters}
    undisturbed = AmortizedLDA(**parameters).fit(corpus)
    lda = AmortizedLDA(**parameters, checkpoint=path)
    for n_epochs in (0, 2, 1):
        if undisturbed.n_iter_ > 3 or n_epochs < 2:
            killed_after(monkeypatch, n_epochs, lda, corpus)
            assert path.exists() and not hasattr(lda, "components_")
    lda.fit(corpus)
    assert fitted_state(lda) == fitted_state(undisturbed)
    assert os.listdir(path.parent) == []


# Half of six epochs have a constant rate; with a stale score, three of six.
@pytest.mark.parametrize(
    "max_iter, patience, score", [(6, 100, None), (50, 2, [-1.0, -2.0, -3.0])]
)
@pytest.mark.parametrize("batch_size", ["auto", 16])
def test_fit_killed_while_the_rates_fall_continues_bit_for_bit(
    corpus, path, monkeypatch, max_iter, patience, score, batch_size
):
    if score:
        # The score depends on the number of epochs, which a checkpoint continues.
        original = Training.next_epoch

        def next_epoch(training):
            value = score[min(training.epoch, 2)]
            fixed = lambda *_: (value, 1.0)  # noqa: E731
            monkeypatch.setattr(HeldOutDocuments, "log_likelihood", fixed)
            return original(training)

        monkeypatch.setattr(Training, "next_epoch", next_epoch)
    parameters = {
        **SMALL,
        "early_stopping": True,
        "max_iter": max_iter,
        "n_iter_no_change": patience,
        "batch_size": batch_size,
    }
    undisturbed = AmortizedLDA(**parameters).fit(corpus)
    assert undisturbed.n_iter_ == 6
    lda = AmortizedLDA(**parameters, checkpoint=path)
    for n_epochs in (4, 1):
        killed_after(monkeypatch, n_epochs, lda, corpus)
        with np.load(path) as archive:
            progress = json.loads(archive["meta"].item())["progress"]
        assert progress["cooldown"][-1] == 6
    lda.fit(corpus)
    assert fitted_state(lda) == fitted_state(undisturbed)


def test_topics_that_were_split_are_stored(corpus, path, monkeypatch):
    lda = AmortizedLDA(**SMALL, checkpoint=path)
    killed_after(monkeypatch, 5, lda, corpus)
    with np.load(path) as archive:
        numbers = json.loads(archive["meta"].item())["progress"]
    assert numbers["states"]["state"]["already_split"]


def test_fit_without_a_seed_and_with_weights_continues(corpus, path, monkeypatch):
    weights = np.random.default_rng(0).integers(0, 3, 120)
    parameters = {**SMALL, "random_state": None, "early_stopping": True}
    lda = AmortizedLDA(**parameters, checkpoint=path)
    killed_after(monkeypatch, 3, lda, corpus, sample_weight=weights)
    lda.fit(corpus, sample_weight=weights)
    monkeypatch.setattr(Session, "_seed", lambda _: lda._seed)
    undisturbed = AmortizedLDA(**parameters).fit(corpus, sample_weight=weights)
    assert fitted_state(lda) == fitted_state(undisturbed)


@pytest.mark.parametrize("schedule", ["cosine", "power"])
def test_killed_warm_start_continues(corpus, path, monkeypatch, schedule):
    parameters = {**SMALL, "warm_start": True, "learning_schedule": schedule}
    undisturbed = AmortizedLDA(**parameters).fit(corpus).fit(corpus)
    first = AmortizedLDA(**parameters, checkpoint=path).fit(corpus)
    again = joblib.hash(first)
    killed_after(monkeypatch, 3, first, corpus)
    assert joblib.hash(first) == again
    assert fitted_state(first.fit(corpus)) == fitted_state(undisturbed)
    killed_after(monkeypatch, 3, first, corpus)
    with pytest.raises(ValueError, match="the model that warm_start continues"):
        AmortizedLDA(**parameters, checkpoint=path).fit(corpus)


def test_interrupted_fit_continues_from_its_last_epoch(corpus, path, monkeypatch):
    undisturbed = AmortizedLDA(**SMALL).fit(corpus)
    lda = AmortizedLDA(**SMALL, checkpoint=path)
    original, n_steps = SVI.step, [0]

    def step(*args, **kwargs):
        n_steps[0] += 1
        if n_steps[0] == 20:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(SVI, "step", step)
        with pytest.warns(UserWarning, match="interrupted after 2 epochs"):
            lda.fit(corpus)
    assert np.isfinite(lda.score(corpus)) and lda.n_batch_iter_ == 19
    lda.fit(corpus)
    assert fitted_state(lda) == fitted_state(undisturbed)
    assert not path.exists()


@pytest.fixture
def unfinished(corpus, path, monkeypatch):
    """A checkpoint of a fit that was killed."""
    killed_after(monkeypatch, 2, AmortizedLDA(**SMALL, checkpoint=path), corpus)
    return path


OTHER_FITS = {
    "max_iter": ({"max_iter": 7}, {}),
    "n_components": ({"n_components": 5}, {}),
    "random_state": ({"random_state": 1}, {}),
    "random_state as an instance": ({"random_state": np.random.RandomState(0)}, {}),
    "doc_topic_prior": ({"doc_topic_prior": np.full(8, 0.2)}, {}),
    "encoder": ({"encoder": "transformer"}, {}),
    "X of other counts": ({}, {"X": lambda X: X * 2}),
    "X of other words": ({}, {"X": lambda X: X[:, ::-1]}),
    "X of other shape": ({}, {"X": lambda X: X[:119]}),
    "sample_weight": ({}, {"sample_weight": np.full(120, 2.0)}),
}


@pytest.mark.parametrize("what", OTHER_FITS)
def test_checkpoint_of_another_fit_raises(corpus, unfinished, what):
    parameters, data = OTHER_FITS[what]
    content = unfinished.read_bytes()
    change = data.get("X", lambda X: X)
    lda = AmortizedLDA(**{**SMALL, **parameters}, checkpoint=unfinished)
    with pytest.raises(ValueError, match=f"differs in {what.split()[0]}") as error:
        lda.fit(change(corpus), sample_weight=data.get("sample_weight"))
    assert "delete the file to start anew, or choose another path" in str(error.value)
    assert unfinished.read_bytes() == content and not hasattr(lda, "components_")


def dense_layers(n_features, n_hidden, width=6):
    return nn.Sequential(
        Dense(), nn.Linear(n_features, width), nn.ReLU(), nn.Linear(width, n_hidden)
    )


class Layers:
    """A factory that is an object."""

    def __init__(self, width):
        self.width = width

    def __call__(self, n_features, n_hidden):
        return dense_layers(n_features, n_hidden, self.width)


def with_default(width):
    def build(n_features, n_hidden, width=width):
        return dense_layers(n_features, n_hidden, width)

    return build


def with_closure(width):
    return lambda n_features, n_hidden: dense_layers(n_features, n_hidden, width)


def with_constant(width):
    # Defined anew by each call.
    if width == 8:
        return lambda n_features, n_hidden: dense_layers(n_features, n_hidden, 8)
    return lambda n_features, n_hidden: dense_layers(n_features, n_hidden, 9)


FACTORIES = {
    "partial": lambda width: functools.partial(dense_layers, width=width),
    "partial of a closure": lambda width: functools.partial(with_closure(width)),
    "lambda": with_constant,
    "closure": with_closure,
    "default value": with_default,
    "object": Layers,
}


@pytest.mark.parametrize("factory", FACTORIES)
def test_encoder_function_with_another_value_raises_and_the_same_continues(
    corpus, path, monkeypatch, factory
):
    make = FACTORIES[factory]
    undisturbed = AmortizedLDA(**SMALL, encoder=make(8)).fit(corpus)
    lda = AmortizedLDA(**SMALL, encoder=make(8), checkpoint=path)
    killed_after(monkeypatch, 2, lda, corpus)
    with pytest.raises(ValueError, match="differs in encoder"):
        AmortizedLDA(**SMALL, encoder=make(9), checkpoint=path).fit(corpus)
    # Made anew, with the same code.
    lda = AmortizedLDA(**SMALL, encoder=make(8), checkpoint=path).fit(corpus)
    assert fitted_state(lda) == fitted_state(undisturbed)


DEFINITIONS = {
    "constant": "def f(n, h): return g(n, h, {})",
    "global name": "def f(n, h): return g{}(n, h)",
    "attribute": "def f(n, h): return g.a{}(n, h)",
    "nested function": "def f(n, h): return [g(i, {}) for i in (lambda: [{}])()]",
    "keyword default": "def f(n, h, *, w={}): return g(n, h, w)",
    "string": "def f(n, h): return g('{}')",
}


def fingerprint_of_encoder(encoder):
    corpus = Corpus(sp.csr_array(np.eye(2, dtype=np.float32)))
    return fingerprint_of({"encoder": encoder}, corpus, None)["encoder"]


@pytest.mark.parametrize("what", DEFINITIONS)
def test_fingerprint_follows_the_code_of_a_function(what):
    def define(number, n_lines=0):
        names = {}
        exec("\n" * n_lines + DEFINITIONS[what].replace("{}", number), names)
        return fingerprint_of_encoder(names["f"])

    assert define("8") == define("8") != define("9")
    # A function may move in its file.
    assert define("8") == define("8", n_lines=5)


class Builder(Layers):
    """A factory by its method."""

    def build(self, n_features, n_hidden):
        return self(n_features, n_hidden)


def test_fingerprint_follows_the_object_of_a_method():
    eight, nine = Builder(8).build, Builder(9).build
    assert fingerprint_of_encoder(eight) == fingerprint_of_encoder(Builder(8).build)
    assert fingerprint_of_encoder(eight) != fingerprint_of_encoder(nine)


def calls_itself():
    def build(n_features, n_hidden):
        return build(n_features, n_hidden)

    return build


def with_module():
    # A user may import torch late, as it takes a second.
    from torch import nn as layers

    return lambda n_features, n_hidden: layers.Linear(n_features, n_hidden)


def with_dict():
    options = {"activation": lambda x: x.tanh(), "width": 8}
    return lambda n_features, n_hidden: options


def with_empty_cell():
    def build(n_features, n_hidden):
        return later

    if False:
        later = 8
    return build


@pytest.mark.parametrize(
    "define", [calls_itself, with_module, with_dict, with_empty_cell]
)
def test_fingerprint_of_any_closure(define):
    assert fingerprint_of_encoder(define()) == fingerprint_of_encoder(define())


def test_path_verbosity_and_format_of_x_may_differ(corpus, unfinished):
    undisturbed = AmortizedLDA(**SMALL).fit(corpus)
    moved = unfinished.rename(unfinished.with_name("moved"))
    lda = AmortizedLDA(**SMALL, checkpoint=str(moved), verbose=1)
    lda.fit(sp.csc_array(corpus, dtype=np.float64))
    assert fitted_state(lda) == fitted_state(undisturbed)


@pytest.mark.parametrize("seed", range(3))
def test_damaged_checkpoint_raises(corpus, unfinished, seed):
    undisturbed = AmortizedLDA(**SMALL).fit(corpus)
    rng = np.random.default_rng(seed)
    whole = unfinished.read_bytes()
    lda = AmortizedLDA(**SMALL, checkpoint=unfinished)
    for _ in range(10):
        cut = rng.integers(len(whole))
        flipped = bytearray(whole)
        flipped[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        for damaged in (whole[:cut], bytes(flipped), whole[cut:], b"", b"foreign"):
            unfinished.write_bytes(damaged)
            try:
                lda.fit(corpus)
            except ValueError as error:
                assert "damaged" in str(error) and "delete the file" in str(error)
            else:
                # A bit of the zip container that nothing reads, such as a time.
                assert damaged not in (whole[:cut], b"", b"foreign")
                assert fitted_state(lda) == fitted_state(undisturbed)
            unfinished.write_bytes(whole)


def test_pickle_in_a_checkpoint_is_not_run(corpus, path):
    class TouchesAFile:
        def __reduce__(self):
            return (pathlib.Path.touch, (path.with_name("touched"),))

    with open(path, "wb") as file:
        np.savez(file, meta=np.array([TouchesAFile()], dtype=object))
    with pytest.raises(ValueError, match="damaged, or no checkpoint"):
        AmortizedLDA(**SMALL, checkpoint=path).fit(corpus)
    assert os.listdir(path.parent) == [path.name]


def test_other_format_raises(corpus, unfinished, monkeypatch):
    monkeypatch.setattr("sklearn_amortlda.training.checkpoint._FORMAT", 0)
    with pytest.raises(ValueError, match=r"has format 5; .* reads format 0"):
        AmortizedLDA(**SMALL, checkpoint=unfinished).fit(corpus)


@pytest.mark.parametrize("name", ["missing/fit.npz", "file/fit.npz", ""])
def test_unusable_path_raises_before_the_first_epoch(
    corpus, tmp_path, monkeypatch, name
):
    (tmp_path / "file").touch()
    monkeypatch.setattr(Training, "_train", None)
    lda = AmortizedLDA(**SMALL, checkpoint=tmp_path / name)
    with pytest.raises(OSError, match=r"The checkpoint '.*' cannot be"):
        lda.fit(corpus)
    assert not hasattr(lda, "components_")


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0,
    reason="needs POSIX permissions, which do not hold for root",
)
def test_read_only_folder_raises_before_the_first_epoch(corpus, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="cannot be written"):
        AmortizedLDA(**SMALL, checkpoint=tmp_path / "fit.npz").fit(corpus)


def test_full_disk_leaves_the_last_checkpoint(corpus, unfinished):
    good = unfinished.read_bytes()
    assert len(good) > 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    lda = AmortizedLDA(**SMALL, checkpoint=unfinished)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match="and the earlier file is unch") as error:
            lda.fit(corpus)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.errno == errno.EFBIG and not hasattr(lda, "components_")
    assert unfinished.read_bytes() == good
    assert os.listdir(unfinished.parent) == [unfinished.name]
    assert fitted_state(lda.fit(corpus)) == fitted_state(
        AmortizedLDA(**SMALL).fit(corpus)
    )


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_failed_replacement_leaves_the_last_checkpoint(
    corpus, unfinished, monkeypatch, call
):
    good = unfinished.read_bytes()

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="cannot be written") as error:
        AmortizedLDA(**SMALL, checkpoint=unfinished).fit(corpus)
    assert error.value.errno == errno.ENOSPC
    assert unfinished.read_bytes() == good


@pytest.mark.parametrize("value", [3, ["fit.npz"], b"fit.npz"])
def test_checkpoint_of_another_type_raises(corpus, value):
    with pytest.raises(ValueError, match="'checkpoint' parameter"):
        AmortizedLDA(3, checkpoint=value).fit(corpus)


def test_files_of_the_user_are_not_overwritten(corpus, path, tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("mine")
    names = [f"{path.name}.partial", f".{path.name}.partial"]
    (tmp_path / names[0]).write_text("mine")
    (tmp_path / names[1]).symlink_to(mine)
    AmortizedLDA(**SMALL, checkpoint=path).fit(corpus)
    assert sorted(os.listdir(tmp_path)) == sorted([*names, "mine"])
    assert (tmp_path / names[0]).read_text() == mine.read_text() == "mine"


def test_link_stays_and_its_target_is_written(corpus, path, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target.npz"
    path.symlink_to(target)
    lda = AmortizedLDA(**SMALL, checkpoint=path)
    killed_after(monkeypatch, 2, lda, corpus)
    assert path.is_symlink() and target.is_file()
    lda.fit(corpus)
    undisturbed = AmortizedLDA(**SMALL).fit(corpus)
    assert fitted_state(lda) == fitted_state(undisturbed)
    assert path.is_symlink() and not target.exists()


def test_permissions_are_those_of_a_new_file(corpus, path, tmp_path, monkeypatch):
    killed_after(monkeypatch, 1, AmortizedLDA(**SMALL, checkpoint=path), corpus)
    (tmp_path / "new").touch()
    assert path.stat().st_mode == (tmp_path / "new").stat().st_mode


def test_leftovers_of_killed_processes_are_removed(corpus, path, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    left, written = (tmp_path / f".fit.npz.{i}.partial" for i in range(2))
    other = tmp_path / ".fitxnpz.0.partial"
    for file in (left, written, other):
        file.touch()
    with open(written, "rb") as file:
        # As a living process does.
        fcntl.flock(file, fcntl.LOCK_EX)
        AmortizedLDA(**SMALL, checkpoint=path).fit(corpus)
    assert set(os.listdir(tmp_path)) == {written.name, other.name}


def test_second_fit_on_one_path_raises_and_the_first_continues(
    corpus, path, monkeypatch
):
    first, second = (AmortizedLDA(**SMALL, checkpoint=path) for _ in range(2))
    undisturbed = AmortizedLDA(**SMALL).fit(corpus)
    original, n_calls = Training._train, [0]

    def train(*args):
        n_calls[0] += 1
        if n_calls[0] == 3:
            # The other fit writes a file after each epoch, and is killed.
            killed_after(monkeypatch, 2, second, corpus)
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_train", train)
        with pytest.raises(OSError, match="another process writes this file") as error:
            first.fit(corpus)
    assert "room" not in str(error.value)
    assert path.exists() and not hasattr(first, "components_")
    assert fitted_state(second.fit(corpus)) == fitted_state(undisturbed)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs special files")
@pytest.mark.parametrize("kind", ["FIFO", "device", "folder", "socket"])
def test_special_file_raises_before_the_fit(corpus, path, monkeypatch, kind):
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        server = socket.socket(socket.AF_UNIX)
        monkeypatch.chdir(path.parent)
        server.bind(path.name)
    monkeypatch.setattr(Training, "_train", None)
    with pytest.raises(OSError, match="cannot be read: "):
        AmortizedLDA(**SMALL, checkpoint=path).fit(corpus)


def contents(path):
    with np.load(path) as archive:
        arrays = dict(archive)
    return json.loads(arrays.pop("meta").item()), arrays


def write(path, meta, arrays):
    np.savez(path, meta=np.array(json.dumps(meta)), **arrays)


def refused(corpus, path):
    lda = AmortizedLDA(**SMALL, early_stopping=True, checkpoint=path)
    with pytest.raises(ValueError, match=r"is damaged, or no checkpoint .*: delete"):
        lda.fit(corpus)


@pytest.fixture
def with_best(corpus, path, monkeypatch):
    """The path of an unfinished fit, with a present state and a best one."""
    lda = AmortizedLDA(**SMALL, early_stopping=True, checkpoint=path)
    killed_after(monkeypatch, 4, lda, corpus)
    return path


def leaves(value, path=()):
    """The paths of all keys of nested dicts."""
    for key, item in value.items() if isinstance(value, dict) else ():
        yield (*path, key)
        yield from leaves(item, (*path, key))


def test_missing_or_wrong_values_raise(corpus, with_best):
    meta, arrays = contents(with_best)
    for *owners, name in leaves({k: meta[k] for k in ("format", "progress")}):
        if name in ("validation_score", "bound"):
            continue
        # Another number of the right type cannot be recognized.
        for change in ("missing", "x", None, -3, [[]], {"a": 1}):
            damaged = copy.deepcopy(meta)
            owner = functools.reduce(dict.__getitem__, owners, damaged)
            owner[name] = change
            if change == "missing":
                del owner[name]
            if name == "format" and change != "missing":
                continue
            if name == "cooldown" and change is None:
                continue
            if name == "best_score" and change == -3:
                continue
            write(with_best, damaged, arrays)
            refused(corpus, with_best)
    for damaged in ([], 3, None, {}):
        write(with_best, damaged, arrays)
        refused(corpus, with_best)


def test_missing_or_wrong_arrays_raise(corpus, with_best):
    meta, arrays = contents(with_best)
    assert any(".exp_avg_sq" in name for name in arrays)
    # Absent moments are zeros.
    for name in arrays:
        if "/optimizer/" not in name:
            write(with_best, meta, {k: a for k, a in arrays.items() if k != name})
            refused(corpus, with_best)
    changes = [lambda a: a[np.newaxis], lambda a: a.astype(complex)]
    changes += [lambda a: np.concatenate([np.atleast_1d(a)] * 2)]
    for name, array in arrays.items():
        for change in changes:
            write(with_best, meta, {**arrays, name: change(array)})
            refused(corpus, with_best)
        if array.dtype.kind == "f":
            write(with_best, meta, {**arrays, name: np.full_like(array, np.nan)})
            refused(corpus, with_best)
    write(with_best, meta, {**arrays, "state/other": np.ones(3)})
    refused(corpus, with_best)


def test_consistent_state_of_another_vocabulary_raises(corpus, path, monkeypatch):
    lda = AmortizedLDA(**SMALL, early_stopping=True, checkpoint=path)
    killed_after(monkeypatch, 2, lda, corpus)
    meta, _ = contents(path)
    other = AmortizedLDA(**SMALL, early_stopping=True, checkpoint=path.parent / "other")
    killed_after(monkeypatch, 2, other, corpus[:, :50])
    write(
        path,
        {**contents(other.checkpoint)[0], "fingerprint": meta["fingerprint"]},
        contents(other.checkpoint)[1],
    )
    refused(corpus, path)


def test_compressed_archive_is_not_expanded(corpus, with_best):
    meta, arrays = contents(with_best)
    large = np.zeros((1000, 1000))
    np.savez_compressed(
        with_best, meta=np.array(json.dumps(meta)), **{**arrays, "state/large": large}
    )
    assert with_best.stat().st_size < large.nbytes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "load", None)
        refused(corpus, with_best)


def test_checkpoint_of_a_distributed_fit_raises(corpus, path):
    lda = AmortizedLDA(3, checkpoint=path, distributed=True)
    with pytest.raises(ValueError, match="distributed"):
        lda.fit(corpus)
    with pytest.raises(ValueError, match="cannot be combined with distributed=True"):
        make_config(lda.get_params(), 60, torch.device("cpu"))


KILLING = """
import os, random, signal, sys, time
import joblib, numpy as np
from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.runtime.serialization import FITTED

X = np.random.default_rng(0).poisson(0.5, (90, 30))
parameters = dict(
    n_components=6, max_iter=8, hidden_layer_sizes=(8,), random_state=0,
    early_stopping=True, topic_word_prior="auto",
)
path = sys.argv[1]

def result(**more):
    lda = AmortizedLDA(**parameters, **more).fit(X)
    return joblib.hash([vars(lda).get(name) for name in FITTED])

def has_ended(child):
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, child, options) is not None

expected = result()
started = time.perf_counter()
assert result() == expected
seconds = time.perf_counter() - started
random.seed(0)
n_killed, n_resumed, n_ended = 0, 0, 0
while n_killed < 50 or not n_ended:
    found = os.path.exists(path)
    child = os.fork()
    if not child:
        os._exit(result(checkpoint=path) != expected)
    if n_killed < 50:
        # Every other kill waits for the file, however busy the machine is.
        while n_killed % 2 and not os.path.exists(path) and not has_ended(child):
            time.sleep(0.001)
        time.sleep(random.uniform(0.0, 0.7 * seconds))
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        n_killed += 1
    else:
        assert os.WEXITSTATUS(status) == 0, "not the undisturbed result"
        n_ended += 1
        n_resumed += found
assert result(checkpoint=path) == expected
assert os.listdir(os.path.dirname(path)) == []
print(n_killed, n_ended, n_resumed)
"""


# One process that has imported torch forks a child for every attempt.
@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fit_killed_at_fifty_moments_has_the_undisturbed_result(path):
    run = subprocess.run(
        [sys.executable, "-c", KILLING, path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    n_killed, n_ended, n_resumed = map(int, run.stdout.split())
    assert n_killed == 50 and n_ended >= n_resumed >= 1
