"""Saved states of which one value was changed: an error, and never a crash."""

import copy

import numpy as np
import pytest
from conftest import small_estimator

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.runtime.serialization import FITTED

MODELS = {
    "mlp": {"hidden_layer_sizes": (8, 7)},
    "transformer": {"encoder": "transformer", "hidden_layer_sizes": (8, 7)},
    "logistic_normal": {"objective": "logistic_normal"},
    "labels": {"label_weight": 0.5},
    "covariates": {},
}


@pytest.fixture(scope="module", params=MODELS)
def state(request, corpus):
    """The state of a fitted model, as pickle saves it."""
    lda = small_estimator(max_iter=2, **MODELS[request.param])
    y = np.arange(corpus.shape[0]) % 3
    covariates = None
    if request.param == "covariates":
        covariates = np.column_stack([y == 1, y == 2])
    return lda.fit(corpus, y, covariates=covariates).__getstate__()


def arrays(state):
    """Name, array and setter of each array of a state."""
    for name, value in list(state.items()):
        if isinstance(value, np.ndarray):
            yield name, value, lambda new, name=name: state.update({name: new})
        elif name in ("_encoder_weights", "_optimizer_state"):
            for key, array in list(value.items()):
                yield key, array, lambda new, v=value, k=key: v.update({k: new})


def with_nan(array):
    changed = np.array(array)
    changed.flat[-1] = np.nan
    return changed


CHANGES = {
    "one value": lambda a: a.ravel()[:1].copy(),
    "one more row": lambda a: np.concatenate([np.atleast_1d(a)] * 2),
    "one more axis": lambda a: a[np.newaxis],
    "no values": lambda a: a[:0] if a.ndim else a[np.newaxis][:0],
    "strings": lambda a: a.astype(str),
    "objects": lambda a: a.astype(object),
    "complex": lambda a: a.astype(np.complex64),
    "half": lambda a: a.astype(np.float16),
    "list": lambda a: a.tolist(),
    "None": lambda a: None,
    "NaN": lambda a: with_nan(a) if a.dtype.kind == "f" else None,
    "infinity": lambda a: a + np.inf if a.dtype.kind == "f" else None,
    "negative": lambda a: -a - 1 if a.dtype.kind == "f" else None,
}
# Ends of the names of arrays for which a change is none.
ALLOWED = {
    "negative": (
        ".exp_avg",
        "embedding",
        "bias",
        "weight",
        "shift",
        "mean",
        "start",
        "coef_",
        "intercept_",
    ),
    # Classes may have any type.
    "half": (".step", "classes_"),
    "strings": ("classes_",),
    "objects": ("classes_",),
    "NaN": ("classes_",),
    "infinity": ("classes_",),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_array_raises(state, change):
    n_arrays = len(list(arrays(copy.deepcopy(state))))
    assert n_arrays > 20
    for i in range(n_arrays):
        damaged = copy.deepcopy(state)
        name, array, replace = list(arrays(damaged))[i]
        if name.endswith(ALLOWED.get(change, "?")):
            continue
        replace(CHANGES[change](array))
        with pytest.raises(ValueError, match="is damaged: "):
            AmortizedLDA().__setstate__(damaged)


@pytest.mark.parametrize("name", sorted({*FITTED} - {"feature_names_in_"}))
def test_missing_attribute_raises(state, name):
    if name not in state:
        pytest.skip("only models with labels have this attribute")
    damaged = {key: value for key, value in state.items() if key != name}
    with pytest.raises(ValueError, match=f"it lacks {name}"):
        AmortizedLDA().__setstate__(damaged)


@pytest.mark.parametrize("owner", ["_encoder_weights", "_optimizer_state"])
def test_additional_array_raises(state, owner):
    damaged = copy.deepcopy(state)
    damaged[owner]["head.other"] = np.ones(3, np.float32)
    lda = AmortizedLDA()
    if owner == "_optimizer_state":
        with pytest.raises(ValueError, match=r"head\.other belongs to no parameter"):
            lda.__setstate__(damaged)
    else:
        lda.__setstate__(damaged)
        with pytest.raises(ValueError, match="does not fit the weights"):
            lda.transform(np.ones((1, 60)))


def test_encoder_of_another_architecture_raises(state, corpus):
    changes = [CHANGES[n] for n in ("one more row", "one more axis", "no values")]
    changes += [lambda a: a[:-1], lambda a: a[..., :-1], None]
    for name, array in state["_encoder_weights"].items():
        for change in changes if array.ndim else [None]:
            # No moments, whose shapes would show the change.
            damaged = {**copy.deepcopy(state), "_optimizer_state": {}}
            if change is None:
                del damaged["_encoder_weights"][name]
            else:
                damaged["_encoder_weights"][name] = change(array)
            lda = AmortizedLDA()
            with pytest.raises(ValueError, match=r"damaged|does not fit"):
                lda.__setstate__(damaged)
                lda.transform(corpus)


@pytest.mark.parametrize(
    "name, value",
    [
        ("n_features_in_", 59),
        ("n_features_in_", "60"),
        ("feature_names_in_", np.array(["a"], dtype=object)),
        ("feature_names_in_", "names"),
        ("history_", [1]),
        ("history_", [{"bound": "x"}]),
        ("n_iter_", 7),
        ("bound_", None),
        ("n_batch_iter_", -1),
        ("_time", 0.5),
        ("_n_seen", True),
        ("_seed", -3),
        ("_seed", None),
        ("_encoder_weights", {}),
        ("_encoder_weights", None),
        ("_optimizer_state", []),
        ("topic_word_prior_", 0.0),
        ("topic_word_prior_", "auto"),
        ("transform", print),
        ("perplexity", 3),
        ("_n_features_out", 3),
    ],
)
def test_value_that_cannot_be_right_raises(state, name, value):
    with pytest.raises(ValueError, match="is damaged: "):
        AmortizedLDA().__setstate__({**state, name: value})


def test_valid_states_load(state, corpus):
    lda = AmortizedLDA()
    lda.__setstate__(state)
    assert np.isfinite(lda.transform(corpus)).all()


def test_absent_moments_are_zeros(state, corpus):
    # After an interrupt in the first step some parameters may have no moments.
    lda = AmortizedLDA()
    lda.__setstate__({**state, "_optimizer_state": {}})
    covariates = None
    if "covariate_coef_" in state:
        covariates = np.ones((corpus.shape[0], 2))
    lda.partial_fit(corpus, covariates=covariates)
    assert np.isfinite(lda.transform(corpus)).all()


def test_refine_out_of_range_raises(state, corpus):
    lda = AmortizedLDA()
    lda.__setstate__({**state, "refine": 10**9})
    with pytest.raises(ValueError, match="'refine' parameter"):
        lda.transform(corpus)
