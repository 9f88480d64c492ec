"""Saved models: the same answers after any round trip, an error where it is damaged."""

import copy
import io
import pickle
import random
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline

from sklearn_amortlda import SKOPS_TRUSTED, AmortizedLDA
from sklearn_amortlda._persistence import FITTED

GOLDEN = Path(__file__).parent / "golden"


def small(**parameters):
    settings = {"max_iter": 1, "hidden_layer_sizes": (6,), "random_state": 0}
    return AmortizedLDA(3, device="cpu", **{**settings, **parameters})


@pytest.fixture(scope="module")
def fitted(corpus):
    return small().fit(corpus)


def through_joblib(lda, **options):
    buffer = io.BytesIO()
    joblib.dump(lda, buffer, **options)
    buffer.seek(0)
    return joblib.load(buffer)


def through_cloudpickle(lda):
    cloudpickle = pytest.importorskip("cloudpickle")
    return cloudpickle.loads(cloudpickle.dumps(lda))


def through_skops(lda):
    skops_io = pytest.importorskip("skops.io")
    return skops_io.loads(skops_io.dumps(lda), trusted=SKOPS_TRUSTED)


WAYS = {
    **{
        f"pickle {protocol}": lambda lda, protocol=protocol: pickle.loads(
            pickle.dumps(lda, protocol)
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "joblib": through_joblib,
    "joblib, compressed": lambda lda: through_joblib(lda, compress=3),
    "cloudpickle": through_cloudpickle,
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "skops": through_skops,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"doc_topic_prior": np.array([0.1, 0.2, 0.3]), "topic_word_prior": "auto"},
        {"topic_word_prior": np.linspace(0.01, 0.1, 360).reshape(120, 3)[::2].T},
        {"hidden_layer_sizes": np.array([6, 4]), "objective": "logistic_normal"},
        {"total_samples": np.float64(300), "batch_size": np.int64(64)},
    ],
    ids=["default", "priors", "strided", "array of sizes", "NumPy numbers"],
)
def test_round_trips(corpus, way, parameters):
    lda = small(**parameters).fit(corpus)
    again = WAYS[way](lda)
    np.testing.assert_array_equal(again.transform(corpus), lda.transform(corpus))
    # What partial_fit needs went along.
    expected = copy.deepcopy(lda).partial_fit(corpus).components_
    np.testing.assert_array_equal(again.partial_fit(corpus).components_, expected)


@pytest.mark.parametrize("way", WAYS)
def test_round_trips_keep_the_hash(fitted, way):
    assert joblib.hash(WAYS[way](fitted)) == joblib.hash(fitted)


def test_memory_mapped(fitted, corpus, tmp_path):
    joblib.dump(fitted, tmp_path / "lda")
    mapped = joblib.load(tmp_path / "lda", mmap_mode="r")
    assert isinstance(mapped.components_, np.memmap)
    np.testing.assert_array_equal(mapped.transform(corpus), fitted.transform(corpus))


def test_hash_tells_models_apart_and_does_not_change_with_use(corpus):
    one, same, other = (small(random_state=s).fit(corpus) for s in (0, 0, 1))
    assert joblib.hash(one) == joblib.hash(same) != joblib.hash(other)
    X = corpus.copy()
    before = joblib.hash(one), joblib.hash(X)
    one.transform(X), one.score(X), one.perplexity(X)
    assert (joblib.hash(one), joblib.hash(X)) == before


def test_unfitted_and_cloned(fitted, corpus):
    unfitted = pickle.loads(pickle.dumps(small(refine=1)))
    assert unfitted.refine == 1 and not hasattr(unfitted, "components_")
    again = clone(fitted).fit(corpus)
    np.testing.assert_array_equal(again.components_, fitted.components_)


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_device_and_generator_as_parameters(corpus, device):
    state = np.random.RandomState(3)
    lda = small(random_state=state).set_params(device=device).fit(corpus)
    again = pickle.loads(pickle.dumps(lda))
    assert again.device == device
    np.testing.assert_array_equal(again.transform(corpus), lda.transform(corpus))


# -- what a file holds -----------------------------------------------------------


@pytest.mark.parametrize("frame", [False, True])
def test_every_fitted_attribute_is_under_the_digest(corpus, frame):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(corpus.toarray()).add_prefix("word") if frame else corpus
    for lda in (small().fit(X), small(early_stopping=True).fit(X)):
        attributes = set(vars(lda)) - set(lda.get_params())
        # scikit-learn's own, of callbacks, are no part of the model.
        attributes = {name for name in attributes if "callback" not in name}
        assert attributes <= set(FITTED)


def test_plain_values_only(fitted):
    plain = (np.ndarray, str, int, float, bool, type(None))

    def check(value):
        if isinstance(value, (list, tuple)):
            value = dict(enumerate(value))
        if isinstance(value, dict):
            for item in value.values():
                check(item)
        else:
            assert isinstance(value, plain), value

    check(vars(fitted))
    assert b"torch" not in pickle.dumps(fitted)


def test_loading_imports_neither_torch_nor_pyro(fitted, tmp_path):
    (tmp_path / "lda").write_bytes(pickle.dumps(fitted))
    code = (
        "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'));"
        "assert not {'torch', 'pyro'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "lda")], check=True)


def test_skops_needs_no_other_trust(corpus):
    skops_io = pytest.importorskip("skops.io")
    texts = ["the cat sat", "a dog and a cat", "stocks and bonds fell"] * 10
    pipeline = Pipeline([("counts", CountVectorizer()), ("topics", small())])
    for lda, X in ((small(), corpus), (pipeline, texts)):
        content = skops_io.dumps(lda.fit(X))
        assert skops_io.get_untrusted_types(data=content) == SKOPS_TRUSTED
        again = skops_io.loads(content, trusted=SKOPS_TRUSTED)
        np.testing.assert_array_equal(again.transform(X), lda.transform(X))


class Subclass(AmortizedLDA):
    """With a cache of its own that it does not save, and an attribute that it does."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X)
        self.cache_, self.note_ = object(), {"words": [1, 2]}
        return self

    def __getstate__(self):
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "cache_"}


def test_subclass_and_additional_attributes(corpus):
    lda = Subclass(3, max_iter=1, random_state=0, device="cpu").fit(corpus)
    lda.mine = ["anything", np.ones(3), print]
    again = pickle.loads(pickle.dumps(lda))
    assert isinstance(again, Subclass) and again.note_ == lda.note_
    assert again.mine[0] == "anything" and not hasattr(again, "cache_")
    np.testing.assert_array_equal(again.transform(corpus), lda.transform(corpus))


def test_with_the_version_warning_of_scikit_learn(fitted, corpus, monkeypatch):
    # For classes of its own scikit-learn adds a version to the state, and removes it.
    lda = copy.copy(fitted)
    monkeypatch.setattr(AmortizedLDA, "__module__", "sklearn.decomposition")
    state = lda.__getstate__()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AmortizedLDA().__setstate__(state)
    state["_sklearn_version"] = "1.0"
    again = AmortizedLDA()
    with pytest.warns(InconsistentVersionWarning, match=r"1\.0"):
        again.__setstate__(state)
    np.testing.assert_array_equal(again.transform(corpus), fitted.transform(corpus))


# -- other versions --------------------------------------------------------------


def test_a_newer_format_is_refused(fitted):
    state = {**fitted.__getstate__(), "_format": 2}
    with pytest.raises(ValueError, match="has format 2, and this version"):
        AmortizedLDA().__setstate__(state)


def test_parameters_newer_than_the_file_have_their_defaults(corpus):
    lda = small(refine=1).fit(corpus)
    state = lda.__getstate__()
    for name in ("warm_start", "tol"):
        del state[name], state["_digests"][name]
    again = AmortizedLDA.__new__(AmortizedLDA)
    again.__setstate__(state)
    assert again.get_params() == lda.get_params()


@pytest.mark.parametrize("kind", ["pickle", "skops"])
def test_golden_files(kind):
    for answers in GOLDEN.glob("*.npz"):
        saved = answers.with_suffix(f".{kind}")
        if kind == "pickle":
            lda = pickle.loads(saved.read_bytes())
        else:
            skops_io = pytest.importorskip("skops.io")
            lda = skops_io.load(saved, trusted=SKOPS_TRUSTED)
        with np.load(answers) as expected:
            theta = lda.transform(expected["X"])
            np.testing.assert_allclose(theta, expected["theta"], rtol=0, atol=1e-6)
            lda.partial_fit(expected["X"])
    assert list(GOLDEN.glob("*.npz"))


# -- damage ----------------------------------------------------------------------


def test_flipped_bits_never_change_answers_silently(fitted, corpus):
    content, expected = pickle.dumps(fitted), fitted.transform(corpus)
    rng, silent = random.Random(0), 0
    for _ in range(300):
        damaged, bit = bytearray(content), rng.randrange(8 * len(content))
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            theta = pickle.loads(bytes(damaged)).transform(corpus)
        except Exception as error:
            assert isinstance(error, MemoryError) or str(error)
        else:
            silent += not np.array_equal(theta, expected)
    assert silent == 0


@pytest.mark.parametrize("name", ["components_", "_encoder_weights", "refine"])
def test_tampering_is_told_by_name(fitted, name):
    state = fitted.__getstate__()
    value = copy.deepcopy(state[name])
    if name == "_encoder_weights":
        value["head.weight"][0, 0] += 1e-3
    else:
        value = value + 1
    with pytest.raises(ValueError, match=f"{name!r} is not what was saved"):
        AmortizedLDA().__setstate__({**state, name: value})


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("library", ["pickle", "joblib", "skops"])
def test_truncated_files(fitted, tmp_path, library, share):
    path = tmp_path / "lda"
    if library == "skops":
        library = pytest.importorskip("skops.io")
        library.dump(fitted, path)
        load = library.load
    elif library == "joblib":
        joblib.dump(fitted, path)
        load = joblib.load
    else:
        path.write_bytes(pickle.dumps(fitted))

        def load(path):
            return pickle.loads(path.read_bytes())

    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(Exception):  # noqa: B017, each library has its own
        load(path)


@pytest.mark.parametrize("state", [{}, {"components_": np.ones((2, 3))}, None, 3])
def test_foreign_state(state):
    with pytest.raises(ValueError, match="no saved AmortizedLDA"):
        AmortizedLDA().__setstate__(state)
