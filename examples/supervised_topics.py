"""Topics that know the classes: labels as words.

    python supervised_topics.py            # the docstrings of the quickstart
    python supervised_topics.py FOLDER     # a corpus folder of the benchmarks

The table has a row for each label_weight, with means of three seeds on test documents:
the completion perplexity, the accuracy of a logistic regression on the topic
proportions theta and on their square roots, the accuracy of label_proba, and its
calibration error: the mean distance of confidence and accuracy in ten bins. Then a grid
search chooses the weight.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity

SEEDS = (0, 1, 2)
WEIGHTS = (0.0, 0.1, 0.3, 0.5, 1.0, 2.0, 4.0)


def load():
    """Counts and labels of the training and test documents."""
    if len(sys.argv) > 1:
        sys.path.append(str(Path(__file__).parent / "benchmarks"))
        import corpus

        data = corpus.load(sys.argv[1])
        return data.train, data.test, data.train_labels, data.test_labels
    from corpora import load_docstrings, vectorizer

    docstrings = load_docstrings()
    X = vectorizer().fit_transform(docstrings.data)
    return train_test_split(
        X, docstrings.target, stratify=docstrings.target, random_state=0
    )


def classifier():
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def calibration_error(proba, correct):
    """The mean distance of confidence and accuracy in ten bins of confidence."""
    confidence = proba.max(axis=1)
    bins = np.minimum((confidence * 10).astype(int), 9)
    distances = np.bincount(bins, confidence - correct, minlength=10)
    return np.abs(distances).sum() / len(correct)


def measure(weight, seed, train, test, train_labels, test_labels):
    # Features of training documents are inferred without their labels, as those of test
    # documents. Otherwise the classifier would rely on labels that are missing later.
    lda = AmortizedLDA(50, label_weight=weight, random_state=seed)
    theta = lda.fit(train, train_labels).transform(train)
    test_theta = lda.transform(test)
    figures = [document_completion_perplexity(lda, test, random_state=0)]
    # Square roots have nearly the same variance for small and large proportions.
    for power in (1.0, 0.5):
        model = classifier().fit(theta**power, train_labels)
        figures.append(100 * model.score(test_theta**power, test_labels))
    if weight:
        proba = lda.label_proba(test)
        correct = lda.classes_[proba.argmax(axis=1)] == test_labels
        figures += [100 * correct.mean(), calibration_error(proba, correct)]
    return figures


def main():
    data = train, _, train_labels, _ = load()
    print("label_weight  perplexity  theta  sqrt theta  label_proba  calibration error")
    for weight in WEIGHTS:
        rows = [measure(weight, seed, *data) for seed in SEEDS]
        perplexity, theta, root, *labels = np.mean(rows, axis=0)
        proba = "{:11.1f}  {:17.3f}".format(*labels) if labels else ""
        row = f"{weight:12.1f}  {perplexity:10.0f}  {theta:5.1f}  {root:10.1f}  {proba}"
        print(row.rstrip(), flush=True)

    lda = AmortizedLDA(50, random_state=0)
    search = GridSearchCV(
        make_pipeline(lda, classifier()),
        {"amortizedlda__label_weight": WEIGHTS},
        cv=3,
    )
    search.fit(train, train_labels)
    print("\nlabel_weight of the grid search:", search.best_params_)
    for weight, score in zip(WEIGHTS, search.cv_results_["mean_test_score"]):
        print(f"  {weight:.1f}: accuracy {100 * score:.1f} in cross-validation")


if __name__ == "__main__":
    main()
