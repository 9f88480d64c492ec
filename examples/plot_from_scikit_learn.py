"""
=======================
From scikit-learn's LDA
=======================

The same counts, the same model and the same evaluation: scikit-learn's online LDA and
``AmortizedLDA`` side by side.
"""

# %%
# Two fits
# --------
# Both make ten passes over the training documents on one thread.

import time

import matplotlib.pyplot as plt
import pictures
from corpora import load_docstrings, vectorizer
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.model_selection import train_test_split

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity, topic_coherence

X = vectorizer().fit_transform(load_docstrings().data[::2])
train, test = train_test_split(X, random_state=0)
models = {
    "scikit-learn": LatentDirichletAllocation(
        30, learning_method="online", max_iter=10, random_state=0
    ),
    "amortized": AmortizedLDA(30, max_iter=10, random_state=0),
}
# The first fit imports torch.
AmortizedLDA(2, max_iter=1).fit(train[:100])
results = {}
for name, model in models.items():
    begin = time.perf_counter()
    model.fit(train)
    seconds = time.perf_counter() - begin
    topics = model.components_ / model.components_.sum(axis=1, keepdims=True)
    results[name] = seconds, document_completion_perplexity(model, test)
    coherence = topic_coherence(topics, train)
    print(f"{name}: {seconds:.1f} s, perplexity {results[name][1]:.0f}", end=", ")
    print(f"coherence {coherence:.2f}")

# %%
# Quality against time
# --------------------

for name, (seconds, perplexity) in results.items():
    plt.plot(seconds, perplexity, "o")
    plt.annotate(name, (seconds, perplexity), (0, 6), textcoords="offset points")
plt.xlim(0, 1.4 * max(seconds for seconds, _ in results.values()))
plt.ylim(0, 1.2 * max(perplexity for _, perplexity in results.values()))
plt.xlabel("seconds of the fit")
plt.ylabel("perplexity of held-out words")
pictures.save("from_scikit_learn")

# %%
# Lower and further to the left is better.
