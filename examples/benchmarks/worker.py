"""Fits and evaluates one model in its own process.

compare.py passes the settings of the run as JSON. The figures are written as JSON, and
the topics as .npy.
"""

import json
import resource
import sys
import time
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace

import corpus as corpora
import numpy as np
from peers import PEERS

WARM_UP_DOCUMENTS = 10
QUICK_EFFORT = 0.1


def run(settings):
    """Fit one model; its figures, and its topics if it has any."""
    corpus = corpora.load(settings["folder"], settings["quick"])
    n_documents, n_words = corpus.train.shape
    kind = PEERS[settings["model"]]
    effort = settings["effort"] * (QUICK_EFFORT if settings["quick"] else 1)
    epochs = max(1, round(effort * kind.default_epochs(n_documents)))
    peer = kind(settings["n_topics"], settings["seed"], epochs, settings["threads"])
    figures = {
        "epochs": epochs,
        "version": _version(kind.distribution),
        "documents": [n_documents, corpus.test.shape[0]],
        "words": n_words,
        "memory_before_mb": peak_memory_mb(),
    }
    figures |= _costs(peer, corpus)
    # After `_costs`, because the metrics import modules that raise the peak memory.
    topic_word = peer.topic_word_
    figures |= _quality(peer, topic_word, corpus)
    return figures, topic_word if kind.has_topics else None


def _costs(peer, corpus):
    """Seconds of the fit and of the inference, and peak memory."""
    train, test = peer.prepare(corpus.train), peer.prepare(corpus.test)
    with stopwatch() as fit:
        peer.fit(train)
    peer.transform(peer.prepare(corpus.test[:WARM_UP_DOCUMENTS]))
    with stopwatch() as inference:
        peer.transform(test)
    return {
        "fit_cpu_s": fit["cpu"],
        "fit_wall_s": fit["wall"],
        "infer_us": 1e6 * inference["cpu"] / corpus.test.shape[0],
        "infer_wall_us": 1e6 * inference["wall"] / corpus.test.shape[0],
        "peak_memory_mb": peak_memory_mb(),
    }


def _quality(peer, topic_word, corpus):
    """Quality of the topics, and agreement of the documents' topics with labels."""
    quality = _agreement(peer, corpus)
    if peer.has_topics:
        quality |= _of_words(topic_word, corpus.train)
        perplexity = _perplexity(peer, topic_word, corpus.test)
        quality |= {} if perplexity is None else {"perplexity": perplexity}
    return quality


def _perplexity(peer, topic_word, X):
    from sklearn_amortlda.metrics import completion_split

    observed, held_out = completion_split(X, random_state=0)
    doc_topic = peer.transform(peer.prepare(observed.astype(np.int64)))
    return peer.perplexity(doc_topic, topic_word, held_out)


def _of_words(topic_word, X):
    """Coherence and overlap of the top words by probability and by lift."""
    from sklearn_amortlda.inspection import topic_lift
    from sklearn_amortlda.metrics import (
        topic_coherence,
        topic_diversity,
        topic_uniqueness,
    )

    # A factor of NMF or a topic may be zero everywhere.
    topic_word = topic_word + 1e-12
    # Counts of the corpus, which the lift of rare words depends on.
    topic_word *= X.sum() / topic_word.sum()
    figures = {"c_v": topic_coherence(topic_word, X, measure="c_v")}
    lift = topic_lift(SimpleNamespace(components_=topic_word))
    for suffix, scores in {"": topic_word, "_lift": lift}.items():
        figures |= {
            f"npmi{suffix}": topic_coherence(scores, X, measure="npmi"),
            f"diversity{suffix}": topic_diversity(scores),
            f"uniqueness{suffix}": topic_uniqueness(scores),
        }
    return figures


def _agreement(peer, corpus):
    """Accuracy and precision of the features, and labels of the documents' topics."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import normalized_mutual_info_score

    from sklearn_amortlda.metrics import purity_score, retrieval_precision

    train, test = (peer.transform(peer.prepare(X)) for X in (corpus.train, corpus.test))
    # Proportions are small, about 1 / K, and need a weaker penalty than C=1.
    classifier = LogisticRegression(C=10, max_iter=1000).fit(train, corpus.train_labels)
    figures = {"accuracy": classifier.score(test, corpus.test_labels)}
    if not peer.has_topics:
        return figures
    labels = corpus.test_labels
    assigned = peer.assign(peer.prepare(corpus.test))
    return figures | {
        "purity": purity_score(labels, assigned),
        "nmi": normalized_mutual_info_score(labels, assigned),
        "precision": retrieval_precision(
            train, corpus.train_labels, queries=test, query_labels=labels
        ),
    }


@contextmanager
def stopwatch():
    """CPU and wall seconds of a block, as a dict that is filled at its end."""
    seconds = {}
    cpu, wall = time.process_time(), time.perf_counter()
    yield seconds
    seconds["cpu"] = time.process_time() - cpu
    seconds["wall"] = time.perf_counter() - wall


def peak_memory_mb():
    """Peak memory of this process, with all imported libraries."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kilobytes, macOS bytes.
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _version(distribution):
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError:
        return f"{distribution} (source tree)"


def main():
    settings = json.loads(sys.argv[1])
    path = Path(settings["path"])
    try:
        figures, topic_word = run(settings)
    except ModuleNotFoundError as error:
        figures = {"status": "not installed", "detail": str(error)}
    else:
        figures["status"] = "ok"
        if topic_word is not None:
            np.save(path.with_suffix(".npy"), topic_word.astype(np.float32))
    path.write_text(json.dumps(settings | figures, indent=1))


if __name__ == "__main__":
    main()
