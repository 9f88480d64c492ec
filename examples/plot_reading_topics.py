"""
=======================
Reading a fitted model
=======================

A topic model is an array of numbers. What are its topics about, which documents show
it, how sure is it, and are there too many? The corpus is the docstrings of the
installed scientific libraries, every second one, each labelled by its library.
"""

# %%
# A model
# -------

import numpy as np
from corpora import load_docstrings, vectorizer

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inspection import (
    align_topics,
    effective_number_of_topics,
    n_components_curve,
    prune_topics,
    representative_documents,
    top_words,
    topic_relevance,
    topic_sizes,
    topic_table,
    topics_per_class,
)

corpus = load_docstrings()
texts, names = corpus.data[::2], corpus.names[::2]
vocabulary = vectorizer()
X = vocabulary.fit_transform(texts)
words = vocabulary.get_feature_names_out()
lda = AmortizedLDA(n_components=25, random_state=0).fit(X)
print(f"{X.shape[0]:,} docstrings, {X.shape[1]:,} words")

# %%
# The topics
# ----------
# Size is the share of the corpus's words, alpha how readily a document has the topic.
# A topic of words that all docstrings share gives itself away by a high alpha, a low
# coherence (its words do not seek each other's company) and a low exclusivity (other
# topics have them too).

table = topic_table(lda, X, words, n_words=8).sort_values("size", ascending=False)
left = {"words": "{:<60}".format}
print(table.head(12).to_string(float_format="{:.2f}".format, formatters=left))

# %%
# By probability, words that are common everywhere come first in several topics;
# relevance puts those forward that are a topic's own.

relevance = topic_relevance(lda, X, weight=0.3)
for topic in table.sort_values("exclusivity").index[1:4]:
    print(f"Topic {topic:2} by probability:", *lda.top_words(8, words)[topic])
    print("         by relevance:  ", end=" ")
    print(*top_words(lda, words, n_words=8, ranking=relevance)[topic])

# %%
# The documents
# -------------
# Those that are most about a topic, as far as their length lets one say so.

documents = representative_documents(lda, X, n_documents=3)
for topic in table.sort_values("coherence", ascending=False).index[:4]:
    print(f"Topic {topic}:", *lda.top_words(5, words)[topic])
    for document in documents[topic]:
        print(f"    {names[document]}")

# %%
# What each library writes about: of its larger topics the one that is most its own.

libraries = [name.split(".")[0] for name in names]
classes, shares = topics_per_class(lda, X, libraries)
lift = shares / topic_sizes(lda, X)
for library, share, ratio in zip(classes, shares, lift):
    topic = np.where(share > 0.05, ratio, 0.0).argmax()
    print(
        f"{library:9} {share[topic]:4.0%} of its words ({ratio[topic]:4.1f} times the "
        f"average) in topic {topic:2}:",
        *lda.top_words(5, words)[topic],
    )

# %%
# One document
# ------------
# One that is about two things: its topics with 90 % credible intervals, and the words
# that each of them accounts for.

second_share = np.sort(lda.transform(X), axis=1)[:, -2]
document = second_share.argmax()
posterior = lda.doc_topic_posterior(X[[document]])
lower, upper = posterior.interval(0.9)
counts, probabilities = lda.word_topic_posterior(X[[document]])
of_topic = counts.data[:, np.newaxis] * probabilities  # words in each topic, expected

print(f"{names[document]}, {counts.sum():.0f} words")
for topic in np.argsort(-posterior.mean[0])[:3]:
    best = np.argsort(-of_topic[:, topic])[:6]
    print(
        f"    {posterior.mean[0, topic]:3.0%} ({lower[0, topic]:3.0%} to "
        f"{upper[0, topic]:3.0%}) topic {topic:2}:",
        *words[counts.indices[best]],
    )

# %%
# Another seed
# ------------
# The topics of a second fit, matched to those of the first. What both found is there;
# what one of them found is a matter of chance.

other = AmortizedLDA(n_components=25, random_state=1).fit(X)
_, twins, similarities = align_topics(lda, other)
print(f"Mean similarity {similarities.mean():.2f}; the most and the least alike:")
for topic in (similarities.argmax(), similarities.argmin()):
    print(f"    {similarities[topic]:.2f} ", *lda.top_words(6, words)[topic])
    print("      and ", *other.top_words(6, words)[twins[topic]])

# %%
# How many topics
# ---------------
# Held-out perplexity falls as topics are added, by less and less; beyond some number
# they repeat each other's words.

quick = AmortizedLDA(max_iter=10, random_state=0)
curve = n_components_curve(quick, X[::4], [5, 20, 60])
for n, perplexity, diversity in zip(
    curve.n_components, curve.perplexity.mean(axis=1), curve.diversity.mean(axis=1)
):
    print(f"{n:3} topics: perplexity {perplexity:4.0f}, diversity {diversity:.2f}")

# %%
# After the fit, small topics can be left out; documents share their words out among
# those that stay.

effective = effective_number_of_topics(lda, X)
pruned = prune_topics(lda, topic_sizes(lda, X) >= 0.03)
print(f"25 topics, as diverse as {effective:.1f} of equal size")
print(f"{pruned.n_components} topics have 3 % of the words or more")
print(f"perplexity of X: {lda.perplexity(X):.0f}, pruned {pruned.perplexity(X):.0f}")
