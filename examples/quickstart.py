"""Topics of a real corpus: print them, classify and search documents with them.

    python examples/quickstart.py

The corpus is every second docstring of the installed scientific libraries, so nothing
is downloaded.
"""

if __name__ == "__main__":
    print("Importing scikit-learn and torch ...", flush=True)

import argparse
import time

import numpy as np
import pictures
from corpora import load_20newsgroups, load_docstrings, vectorizer
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from threadpoolctl import threadpool_limits

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.displays import TopicsDisplay
from sklearn_amortlda.inspection import topic_sizes
from sklearn_amortlda.metrics import document_completion_perplexity, topic_coherence

LOADERS = {"docstrings": load_docstrings, "20newsgroups": load_20newsgroups}
QUERIES = {
    "docstrings": "eigenvalues and eigenvectors of a symmetric matrix",
    "20newsgroups": "launch of a spacecraft into orbit around the moon",
}
N_TOPICS_SHOWN = 12
N_NEAREST = 6


def main():
    args = parse_arguments()
    begin = time.perf_counter()
    say(f"Reading the corpus '{args.dataset}'")
    corpus = LOADERS[args.dataset](progress=True)
    counts = vectorizer()
    X = counts.fit_transform(corpus.data[::2])
    labels = np.array(corpus.target_names)[corpus.target[::2]]
    names = corpus.names[::2]
    print(f"{X.shape[0]:,} documents of {len(set(labels))} classes, ", end="")
    print(f"{X.sum():,} words, {X.shape[1]:,} distinct ones")
    split = train_test_split(
        np.arange(X.shape[0]), test_size=0.2, stratify=labels, random_state=0
    )

    say("Fitting the topics to four fifths of the documents")
    lda = AmortizedLDA(args.n_components, verbose=1, random_state=0).fit(X[split[0]])
    show_topics(lda, X, counts.get_feature_names_out(), split)
    say("Accuracy of a logistic regression that predicts the class of the other fifth")
    # Two threads take longer than one for problems as small as these.
    with threadpool_limits(1):
        compare_features(lda, X, labels, split)
    query = args.query or QUERIES[args.dataset]
    say(f"Documents for the query '{query}': class and name")
    search(lda, counts.transform([query]), X, labels, names)
    print(f"\nTotal {time.perf_counter() - begin:.0f} s")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--dataset",
        choices=LOADERS,
        default="docstrings",
        help="docstrings of the installed libraries (default), or 20 newsgroups "
        "(downloaded)",
    )
    parser.add_argument(
        "--n-components", type=int, default=50, help="number of topics (default: 50)"
    )
    parser.add_argument("--query", help="find the documents nearest to this text")
    return parser.parse_args()


def say(text):
    print(f"\n{text}", flush=True)


def show_topics(lda, X, words, split):
    """Print and draw the largest topics, and print how good all topics are."""
    train, test = (X[rows] for rows in split)
    sizes = topic_sizes(lda, train)
    largest = sizes.argsort()[::-1][:N_TOPICS_SHOWN]
    top_words = lda.top_words(words, n_words=8)
    say(f"The largest of {len(sizes)} topics: share of all words, and top words")
    for topic in largest:
        print(f"  {sizes[topic]:5.1%}  {' '.join(top_words[topic])}")
    perplexity = document_completion_perplexity(lda, test)
    print(
        f"Perplexity of held-out words: {perplexity:.0f} (without topics about ", end=""
    )
    print(
        f"{unigram_perplexity(train, test):.0f}). Coherence of the top words: ", end=""
    )
    print(f"{topic_coherence(lda.topic_word_, train):.2f} (NPMI, at most 1).")
    TopicsDisplay.from_estimator(lda, words, topics=largest, n_cols=4)
    print("The topics as a picture: ", end="")
    pictures.save("quickstart")


def unigram_perplexity(train, test):
    """Perplexity if each word has its share of the training documents."""
    shares = np.asarray(train.sum(axis=0)).ravel() + 1.0
    log = np.log(shares / shares.sum())
    return np.exp(-(test @ log).sum() / test.sum())


def compare_features(lda, X, labels, split):
    """Print a row for each kind of features; all but tf-idf have as many columns."""
    train, test = split
    n_topics = lda.n_components
    tfidf = TfidfTransformer(sublinear_tf=True).fit(X[train]).transform(X)
    models = [
        ("topics", lda, X),
        (
            "topics, labels as words",
            AmortizedLDA(n_topics, label_weight=1.0, random_state=0),
            X,
        ),
        (
            "scikit-learn's LDA",
            LatentDirichletAllocation(
                n_topics, learning_method="online", max_iter=5, random_state=0
            ),
            X,
        ),
        ("NMF of tf-idf", NMF(n_topics, init="nndsvda", random_state=0), tfidf),
        ("tf-idf", None, tfidf),
    ]
    print(f"  {'features':<24} {'columns':>8} {'fit, s':>7} {'accuracy':>9}")
    for name, model, features in models:
        print(f"  {name:<24}", end="", flush=True)
        begin = time.perf_counter()
        if model is not None:
            if model is not lda:
                model.fit(features[train], labels[train])
            # Labels are never used to infer features.
            features = model.transform(features)
        seconds = time.perf_counter() - begin
        classifier = make_pipeline(
            MaxAbsScaler(), LogisticRegression(C=10, max_iter=300, tol=1e-3)
        )
        classifier.fit(features[train], labels[train])
        accuracy = classifier.score(features[test], labels[test])
        seconds = "above" if model is lda else f"{seconds:.1f}"
        print(f" {features.shape[1]:>8,} {seconds:>7} {accuracy:9.1%}", flush=True)


def search(lda, query, X, labels, names):
    """Print the documents under which the query is most likely.

    A word of the query is a word of the document, or of its topics, with probability
    1/2 each (Wei & Croft 2006).
    """
    lengths = np.asarray(X.sum(axis=1)).clip(1)
    words, theta = query.indices, lda.transform(X)
    from_document = X[:, words].toarray() / lengths.reshape(-1, 1)
    from_topics = theta @ lda.topic_word_[:, words]
    log_likelihood = np.log(0.5 * from_document + 0.5 * from_topics) @ query.data
    for row in log_likelihood.argsort()[::-1][:N_NEAREST]:
        print(f"  {labels[row]:<22}  {names[row]}")


if __name__ == "__main__":
    main()
