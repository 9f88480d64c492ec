"""What a training that continues another must have in common with it."""

import pytest

from sklearn_amortlda import AmortizedLDA


@pytest.fixture
def fitted(corpus):
    return AmortizedLDA(3, max_iter=1, hidden_layer_sizes=(8,), random_state=0).fit(
        corpus
    )


@pytest.mark.parametrize("method", ["transform", "partial_fit"])
def test_objective_with_another_number_of_outputs_raises(fitted, corpus, method):
    fitted.set_params(objective="logistic_normal")
    with pytest.raises(ValueError, match="does not fit the encoder"):
        getattr(fitted, method)(corpus)
    fitted.set_params(objective="bound").transform(corpus)
