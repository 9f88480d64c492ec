"""A fit that continues from fitted attributes equals one that never stopped."""

import joblib
import pytest

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.runtime.serialization import FITTED


@pytest.mark.parametrize("eta", [0.03, "auto"])
def test_two_fits_equal_one_of_twice_the_epochs(corpus, eta):
    parameters = {
        "topic_word_prior": eta,
        "learning_schedule": "power",
        "hidden_layer_sizes": (8,),
        "random_state": 0,
    }
    X = corpus[:120]
    whole = AmortizedLDA(8, max_iter=12, **parameters).fit(X)
    halves = AmortizedLDA(8, max_iter=6, warm_start=True, **parameters).fit(X).fit(X)
    for name in FITTED:
        if name in vars(whole):
            assert joblib.hash(vars(halves)[name]) == joblib.hash(vars(whole)[name])
