"""Seeds that documents contradict: how many stay in their topic, and what it costs.

    python seeds.py FOLDER/AGNews

Ten of 50 topics have five seeds each, random words of middle frequency that have
nothing in common. A row for each prior: the share of the seeds among the ten most
probable words of their topic, and the completion perplexity of test documents.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import corpus
import numpy as np

from sklearn_amortlda import AmortizedLDA, seeded_topic_word_prior
from sklearn_amortlda.metrics import document_completion_perplexity

N_TOPICS, N_SEEDED, N_SEEDS = 50, 10, 5
ROWS = [
    ("boost=1", {"boost": 1}),
    ("boost=100", {}),
    ("boost=1000", {"boost": 1000}),
    ("X, boost=0.1", {"boost": 0.1, "relative": True}),
    ("X, boost=0.5", {"boost": 0.5, "relative": True}),
    ("X, boost=1", {"relative": True}),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    data = corpus.load(parser.parse_args().folder)
    X, words = data.train, [f"word{v}" for v in range(data.train.shape[1])]
    common = np.asarray(X.sum(axis=0)).ravel().argsort()[::-1][100:1000]
    rng = np.random.default_rng(0)
    seeds = [
        [words[v] for v in rng.choice(common, N_SEEDS, replace=False)]
        for _ in range(N_SEEDED)
    ]
    print("| prior | seeds among the top words | perplexity |\n|---|---|---|")
    for name, settings in ROWS:
        settings = dict(settings)
        if settings.pop("relative", False):
            settings["X"] = X
        prior = seeded_topic_word_prior(seeds, words, N_TOPICS, **settings)
        lda = AmortizedLDA(N_TOPICS, topic_word_prior=prior, random_state=0).fit(X)
        top = lda.top_words(words, n_words=10, ranking="probability")
        kept = np.mean([seed in top[k] for k in range(N_SEEDED) for seed in seeds[k]])
        perplexity = document_completion_perplexity(lda, data.test)
        print(f"| `{name}` | {kept:.0%} | {perplexity:.0f} |", flush=True)


if __name__ == "__main__":
    main()
