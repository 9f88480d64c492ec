"""
==============================
Fewer topics without a new fit
==============================

Similar topics can be merged after the fit, and the merged model is a fitted model. So
one fit gives topics at several levels of detail.
"""

# %%
# A tree of topics
# ----------------
# The tree joins the topics whose merger changes the words' distributions least.

import matplotlib.pyplot as plt
import pictures
from corpora import load_docstrings, vectorizer

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.displays import TopicHierarchyDisplay
from sklearn_amortlda.inspection import merge_topics, topic_hierarchy
from sklearn_amortlda.metrics import document_completion_perplexity

counts = vectorizer()
X = counts.fit_transform(load_docstrings().data[::3])
words = counts.get_feature_names_out()
lda = AmortizedLDA(40, random_state=0).fit(X)

# %%
# Merged and new fits
# -------------------
# A merged model predicts words less well than a new fit of as many topics, but its
# topics are those that the reader knows.

hierarchy = topic_hierarchy(lda)
for n_topics in (30, 20, 10):
    merged = merge_topics(lda, hierarchy.cut(n_topics))
    fitted = AmortizedLDA(n_topics, random_state=0).fit(X)
    perplexities = [document_completion_perplexity(m, X) for m in (merged, fitted)]
    print(n_topics, "topics: merged {:.0f}, fitted {:.0f}".format(*perplexities))

# %%
# The tree as a picture
# ---------------------

TopicHierarchyDisplay.from_estimator(lda, words)
plt.gcf().set_size_inches(8, 9)
pictures.save("merged_topics")

# %%
# Topics that join far to the left have nearly the same words.
