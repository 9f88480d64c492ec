"""Topics of a real corpus: print the topics, classify and search documents with them.

    python examples/quickstart.py

The default corpus is the docstrings of the installed scientific libraries, so nothing
is downloaded.
"""

import argparse
import time
from contextlib import contextmanager

import numpy as np
from corpora import load_20newsgroups, load_docstrings, vectorizer
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import (
    document_completion_perplexity,
    topic_coherence,
    topic_diversity,
)

LOADERS = {"docstrings": load_docstrings, "20newsgroups": load_20newsgroups}
QUERIES = {
    "docstrings": "eigenvalues and eigenvectors of a symmetric matrix",
    "20newsgroups": "launch of a spacecraft into orbit around the moon",
}
N_TOPICS_SHOWN = 20
N_TOP_WORDS = 10
N_NEAREST = 10


def main():
    args = parse_arguments()
    begin = time.perf_counter()
    with stage("reading the corpus"):
        corpus = LOADERS[args.dataset]()
    train, test = train_test_split(
        np.arange(len(corpus.data)),
        test_size=0.2,
        stratify=corpus.target,
        random_state=0,
    )
    pipeline = Pipeline(
        [
            ("counts", vectorizer()),
            ("topics", AmortizedLDA(args.n_components, random_state=0)),
        ]
    )
    with stage("counting words and fitting the topics (training documents only)"):
        pipeline.fit([corpus.data[i] for i in train])
    with stage("inferring the topics of all documents"):
        counts = pipeline["counts"].transform(corpus.data)
        topics = pipeline["topics"].transform(counts)

    print_corpus(args.dataset, corpus, counts, train, test)
    print_topics(pipeline, topics)
    with stage("evaluating the topics"):
        print_quality(pipeline["topics"], counts[train], counts[test])
    # The Euclidean distance of square roots is sqrt(2) times the Hellinger distance.
    features = np.sqrt(topics)
    with stage("classifying the held-out documents"):
        print_accuracies(features, counts, corpus.target, train, test)
    with stage("searching"):
        query = args.query or QUERIES[args.dataset]
        print_nearest(query, np.sqrt(pipeline.transform([query])), features, corpus)
    print(f"\nTotal {time.perf_counter() - begin:.1f} s")


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


@contextmanager
def stage(name):
    """Print the seconds of a block."""
    begin = time.perf_counter()
    yield
    print(f"[{time.perf_counter() - begin:5.1f} s  {name}]", flush=True)


def print_corpus(dataset, corpus, counts, train, test):
    print(f"\nCorpus '{dataset}'")
    print(f"  {len(train):,} training and {len(test):,} held-out documents")
    labels = corpus.target_names
    print(f"  {len(labels)} labels, such as {', '.join(labels[::9])}")
    print(f"  {counts.shape[1]:,} distinct words, {counts.sum():,} words in total")


def print_topics(pipeline, topics):
    names = pipeline["counts"].get_feature_names_out()
    top_words = pipeline["topics"].top_words(names, n_words=N_TOP_WORDS)
    sizes = topics.mean(axis=0)
    print(f"\nThe largest of {len(sizes)} topics: mean proportion and top words")
    for k in np.argsort(-sizes)[:N_TOPICS_SHOWN]:
        print(f"  {sizes[k]:5.1%}  {' '.join(top_words[k])}")


def print_quality(lda, train_counts, test_counts):
    coherence = topic_coherence(lda.topic_word_, train_counts)
    bound = lda.perplexity(test_counts)
    completion = document_completion_perplexity(lda, test_counts)
    diversity = topic_diversity(lda.topic_word_)
    print("\nQuality of the topics")
    print(f"  held-out perplexity, from the bound         {bound:7,.0f}")
    print(f"  held-out perplexity, document completion    {completion:7,.0f}")
    print(f"  perplexity of the uniform distribution      {test_counts.shape[1]:7,}")
    print(f"  coherence (NPMI of top words, at most 1)    {coherence:7.3f}")
    print(f"  diversity (share of distinct top words)     {diversity:7.3f}")


def print_accuracies(features, counts, target, train, test):
    # Square roots of proportions are smaller than counts and need a weaker penalty.
    on_topics = LogisticRegression(C=10, max_iter=1000)
    on_counts = LogisticRegression(C=1, max_iter=1000)
    candidates = [
        (
            f"logistic regression, {features.shape[1]} topic proportions",
            on_topics,
            features,
        ),
        (f"logistic regression, {counts.shape[1]:,} word counts", on_counts, counts),
        ("majority class", DummyClassifier(), counts),
    ]
    print("\nAccuracy of predicted labels, held-out documents")
    for name, classifier, X in candidates:
        # Small problems are slower on several threads than on one.
        with threadpool_limits(1):
            classifier.fit(X[train], target[train])
        print(f"  {name:<46}  {classifier.score(X[test], target[test]):7.1%}")


def print_nearest(query, query_features, features, corpus):
    neighbors = NearestNeighbors(n_neighbors=N_NEAREST).fit(features)
    distances, indices = neighbors.kneighbors(query_features)
    print(f"\nNearest documents to '{query}': Hellinger distance, label, name")
    for distance, i in zip(distances[0] / np.sqrt(2), indices[0], strict=True):
        label = corpus.target_names[corpus.target[i]]
        print(f"  {distance:.3f}  {label:<27}  {corpus.names[i]}")


if __name__ == "__main__":
    main()
