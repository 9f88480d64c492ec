"""
========================
Topics about given words
========================

Without seeds, topics are about any theme, in any order. Seed words are a prior for some
of the topics: each of these topics starts with a few given words, and the documents add
the words that occur together with the seeds. The other topics have no seeds.
"""

# %%
# Three themes among the docstrings of scientific libraries
# ---------------------------------------------------------

import matplotlib.pyplot as plt
import numpy as np
import pictures
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
# Without seeds the first topics are about any theme. With seeds they contain the seeds
# and related words.

unseeded = fit(0.03)
seeded = fit(seeded_topic_word_prior(SEEDS, words, N_TOPICS))
for topic, seeds in SEEDS.items():
    print(f"Topic {topic}, seeds: {' '.join(seeds)}")
    print("    without:", *unseeded.top_words(words, n_words=9)[topic])
    print("    with:   ", *seeded.top_words(words, n_words=9)[topic])

# %%
# Seeded topics in the subpackages
# --------------------------------
# Print the subpackages whose held-out documents have the largest share of a seeded
# topic. The model has not seen the labels.

classes, shares = topics_per_class(seeded, test, test_labels)
for topic, seeds in SEEDS.items():
    print(f"{' '.join(seeds)}:")
    for label in np.argsort(-shares[:, topic])[:3]:
        print(f"    {shares[label, topic]:4.0%} of the words of {classes[label]}")

# %%
# Strength of the prior
# ---------------------
# The boost is a pseudo-count that the prior adds for each seed in its topic. If the
# boost is small, the topic can lose its seeds during training. If the boost is far
# above the real counts of the seeds, the topic consists of the seeds alone, and the
# predictions of new documents become worse.

boosts = [0, 1, 100, 10_000]
shares = []
print(f"{'boost':>6} {'perplexity':>11}  seeds among their topic's top 10 words")
for boost in boosts:
    if boost:
        lda = fit(seeded_topic_word_prior(SEEDS, words, N_TOPICS, boost=boost))
    else:
        lda = unseeded
    top = lda.top_words(words, n_words=10)
    found = [word in top[topic] for topic, seeds in SEEDS.items() for word in seeds]
    perplexity = document_completion_perplexity(lda, test)
    shares.append(np.mean(found))
    print(f"{boost:6} {perplexity:11.0f}  {shares[-1]:4.0%}")

# %%
# The picture shows the last column: the share of the seeds that are top words.

plt.bar([f"{boost:,}" for boost in boosts], shares)
plt.xlabel("boost")
plt.ylabel("seeds among the top words")
pictures.save("seeded_topics")
