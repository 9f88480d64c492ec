"""Saved models: equal after any round trip, and an error where a file is damaged."""

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
from sklearn_amortlda.runtime.serialization import FITTED, FORMAT

GOLDEN = Path(__file__).parents[1] / "golden"


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


ROUND_TRIPS = {
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


@pytest.mark.parametrize("way", ROUND_TRIPS)
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
def test_round_trips_keep_posteriors_and_training_state(corpus, way, parameters):
    lda = small(**parameters).fit(corpus)
    again = ROUND_TRIPS[way](lda)
    np.testing.assert_array_equal(again.transform(corpus), lda.transform(corpus))
    expected = copy.deepcopy(lda).partial_fit(corpus).components_
    np.testing.assert_array_equal(again.partial_fit(corpus).components_, expected)


@pytest.mark.parametrize("way", ROUND_TRIPS)
def test_round_trips_keep_the_hash(fitted, way):
    assert joblib.hash(ROUND_TRIPS[way](fitted)) == joblib.hash(fitted)


def test_memory_mapped_model_transforms(fitted, corpus, tmp_path):
    joblib.dump(fitted, tmp_path / "lda")
    mapped = joblib.load(tmp_path / "lda", mmap_mode="r")
    assert isinstance(mapped.components_, np.memmap)
    np.testing.assert_array_equal(mapped.transform(corpus), fitted.transform(corpus))


def test_hash_depends_on_the_model_and_not_on_its_use(corpus):
    one, same, other = (small(random_state=s).fit(corpus) for s in (0, 0, 1))
    assert joblib.hash(one) == joblib.hash(same) != joblib.hash(other)
    X = corpus.copy()
    before = joblib.hash(one), joblib.hash(X)
    one.transform(X), one.score(X), one.perplexity(X)
    assert (joblib.hash(one), joblib.hash(X)) == before


def test_unfitted_estimator_round_trips():
    unfitted = pickle.loads(pickle.dumps(small(refine=1)))
    assert unfitted.refine == 1 and not hasattr(unfitted, "components_")


def test_clone_fits_to_the_same_model(fitted, corpus):
    again = clone(fitted).fit(corpus)
    np.testing.assert_array_equal(again.components_, fitted.components_)


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_device_and_random_state_objects_round_trip(corpus, device):
    state = np.random.RandomState(3)
    lda = small(random_state=state).set_params(device=device).fit(corpus)
    again = pickle.loads(pickle.dumps(lda))
    assert again.device == device
    np.testing.assert_array_equal(again.transform(corpus), lda.transform(corpus))


# -- contents of a file ----------------------------------------------------------


@pytest.mark.parametrize("frame", [False, True])
def test_every_fitted_attribute_is_listed(corpus, frame):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(corpus.toarray()).add_prefix("word") if frame else corpus
    for lda in (small().fit(X), small(early_stopping=True).fit(X)):
        attributes = set(vars(lda)) - set(lda.get_params())
        # scikit-learn's attributes for callbacks are no part of the model.
        attributes = {name for name in attributes if "callback" not in name}
        assert attributes <= set(FITTED)


def test_state_has_plain_values_only(fitted):
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


def test_skops_needs_to_trust_the_estimator_only(corpus):
    skops_io = pytest.importorskip("skops.io")
    texts = ["the cat sat", "a dog and a cat", "stocks and bonds fell"] * 10
    pipeline = Pipeline([("counts", CountVectorizer()), ("topics", small())])
    for lda, X in ((small(), corpus), (pipeline, texts)):
        content = skops_io.dumps(lda.fit(X))
        assert skops_io.get_untrusted_types(data=content) == SKOPS_TRUSTED
        again = skops_io.loads(content, trusted=SKOPS_TRUSTED)
        np.testing.assert_array_equal(again.transform(X), lda.transform(X))


class Subclass(AmortizedLDA):
    """Has a cache that is not saved, and an attribute that is."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X)
        self.cache_, self.note_ = object(), {"words": [1, 2]}
        return self

    def __getstate__(self):
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "cache_"}


def test_subclass_and_additional_attributes_round_trip(corpus):
    lda = Subclass(3, max_iter=1, random_state=0, device="cpu").fit(corpus)
    lda.mine = ["anything", np.ones(3), print]
    again = pickle.loads(pickle.dumps(lda))
    assert isinstance(again, Subclass) and again.note_ == lda.note_
    assert again.mine[0] == "anything" and not hasattr(again, "cache_")
    np.testing.assert_array_equal(again.transform(corpus), lda.transform(corpus))


def test_scikit_learns_version_check_applies(fitted, corpus, monkeypatch):
    # scikit-learn adds its version to the state of classes in its own modules.
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


@pytest.mark.parametrize("other", [FORMAT - 1, FORMAT + 1])
def test_other_format_raises(fitted, other):
    state = {**fitted.__getstate__(), "_format": other}
    with pytest.raises(ValueError, match=f"has format {other}; .* reads format 2"):
        AmortizedLDA().__setstate__(state)


def test_parameters_newer_than_the_file_have_their_defaults(corpus):
    lda = small(refine=1).fit(corpus)
    state = lda.__getstate__()
    for name in ("warm_start", "n_iter_no_change"):
        del state[name]
    again = AmortizedLDA.__new__(AmortizedLDA)
    again.__setstate__(state)
    assert again.get_params() == lda.get_params()


@pytest.mark.parametrize("kind", ["pickle", "skops"])
def test_golden_files_have_their_posteriors(kind):
    saved = GOLDEN / f"format{FORMAT}.{kind}"
    if kind == "pickle":
        lda = pickle.loads(saved.read_bytes())
    else:
        skops_io = pytest.importorskip("skops.io")
        lda = skops_io.load(saved, trusted=SKOPS_TRUSTED)
    with np.load(saved.with_suffix(".npz")) as expected:
        theta = lda.transform(expected["X"])
        np.testing.assert_allclose(theta, expected["theta"], rtol=0, atol=1e-6)
        lda.partial_fit(expected["X"])


# -- damage ----------------------------------------------------------------------


def test_flipped_bits_in_a_skops_file_never_change_posteriors(fitted, corpus):
    skops_io = pytest.importorskip("skops.io")
    content, expected = skops_io.dumps(fitted), fitted.transform(corpus)
    rng, n_errors = random.Random(0), 0
    for _ in range(100):
        damaged, bit = bytearray(content), rng.randrange(8 * len(content))
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            lda = skops_io.loads(bytes(damaged), trusted=SKOPS_TRUSTED)
        except Exception:
            n_errors += 1
        else:
            # A field of the zip container that nothing reads, such as a time.
            np.testing.assert_array_equal(lda.transform(corpus), expected)
    assert n_errors > 50


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("library", ["pickle", "joblib", "skops"])
def test_truncated_file_raises(fitted, tmp_path, library, share):
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
def test_foreign_state_raises(state):
    with pytest.raises(ValueError, match="not a saved AmortizedLDA"):
        AmortizedLDA().__setstate__(state)
