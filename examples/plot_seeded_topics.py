"""
===================================
Topics about what one wants to know
===================================

Left alone, a topic model finds the themes that explain most words, in no particular
order. Seed words ask for themes, each in a place of its own; the remaining topics stay
free. Seeds are a prior: the documents add the words that go with them.
"""

# %%
# Three themes among the docstrings of scientific libraries
# ---------------------------------------------------------

import numpy as np
from corpora import load_docstrings, vectorizer
from sklearn.model_selection import train_test_split

from sklearn_amortlda import AmortizedLDA, seeded_topic_word_prior
from sklearn_amortlda.inspection import topics_per_class
from sklearn_amortlda.metrics import document_completion_perplexity

N_TOPICS = 30
SEEDS = {
    0: ["force", "mass", "velocity", "body"],
    1: ["matrix", "eigenvalues", "eigenvectors", "symmetric"],
    2: ["fourier", "frequency", "signal"],
}

corpus = load_docstrings()
vocabulary = vectorizer()
X = vocabulary.fit_transform(corpus.data[::2])
labels = np.array(corpus.target_names)[corpus.target[::2]]
words = vocabulary.get_feature_names_out()
train, test, _, test_labels = train_test_split(X, labels, random_state=0)


def fit(topic_word_prior):
    """A model of the training documents."""
    lda = AmortizedLDA(N_TOPICS, topic_word_prior=topic_word_prior, random_state=0)
    return lda.fit(train)


# %%
# Without seeds the first topics are about anything; with seeds they are about the seeds
# and what is found with them.

free = fit(0.03)
seeded = fit(seeded_topic_word_prior(SEEDS, words, N_TOPICS))
for topic, seeds in SEEDS.items():
    print(f"Topic {topic}, seeds: {' '.join(seeds)}")
    print("    without:", *free.top_words(9, words)[topic])
    print("    with:   ", *seeded.top_words(9, words)[topic])

# %%
# Where the themes are
# --------------------
# Shares of the seeded topics in the held-out documents of each subpackage. Nobody said
# what the labels mean.

classes, shares = topics_per_class(seeded, test, test_labels)
for topic, seeds in SEEDS.items():
    print(f"{' '.join(seeds)}:")
    for label in np.argsort(-shares[:, topic])[:3]:
        print(f"    {shares[label, topic]:4.0%} of {classes[label]}")

# %%
# How strong
# ----------
# The boost is a pseudo-count: so many occurrences of each seed in its topic are taken
# for granted. A weak one is overruled by the corpus; one far beyond the words' real
# counts keeps the seeds together and everything else out, and new documents are
# predicted less well.

print(f"{'boost':>6} {'perplexity':>11}  seeds among their topic's top 10 words")
for boost in (0, 1, 100, 10_000):
    if boost:
        lda = fit(seeded_topic_word_prior(SEEDS, words, N_TOPICS, boost=boost))
    else:
        lda = free
    top = lda.top_words(10, words)
    found = [word in top[topic] for topic, seeds in SEEDS.items() for word in seeds]
    perplexity = document_completion_perplexity(lda, test)
    print(f"{boost:6} {perplexity:11.0f}  {np.mean(found):4.0%}")
