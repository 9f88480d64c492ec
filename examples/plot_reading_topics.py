"""
=======================
Reading a fitted model
=======================

This example prints what a fitted model has found: the topics, the documents of each
topic, the uncertainty of the proportions, and the effect of the number of topics. The
corpus is every second docstring of the installed scientific libraries, labelled by
library. The table of topics needs pandas.
"""

# %%
# A model
# -------

import numpy as np
import pictures
from corpora import load_docstrings, vectorizer

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.displays import TopicMapDisplay
from sklearn_amortlda.inspection import (
    align_topics,
    effective_number_of_topics,
    merge_topics,
    n_components_curve,
    prune_topics,
    representative_documents,
    topic_hierarchy,
    topic_labels,
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
# The size is the share of the topic in all words of the corpus. alpha is the prior of
# the topic. A background topic, whose words occur in most docstrings, has a high alpha,
# a low coherence (its words co-occur little more than by chance) and a low exclusivity
# (other topics have its words, too).

table = topic_table(lda, X, words, n_words=5).sort_values("size", ascending=False)
left = {"words": "{:<45}".format}
largest = table.drop(columns="label").head(12)
print(largest.to_string(float_format="{:.2f}".format, formatters=left))

# %%
# Ranked by probability, common words are the top words of several topics. The default
# ranks words by how many times more frequent they are in the topic than in the corpus,
# and relevance (LDAvis) is another such ranking.

rankings = {
    "lift": "lift",
    "probability": "probability",
    "relevance": topic_relevance(lda, X),
}
ranked = {
    name: lda.top_words(words, n_words=8, ranking=ranking)
    for name, ranking in rankings.items()
}
for topic in table.sort_values("exclusivity").index[1:4]:
    print(f"Topic {topic}:")
    for name, top in ranked.items():
        print(f"    by {name:12}", *top[topic])

# %%
# The documents
# -------------
# Print the documents with the largest proportion of a topic. A short document needs a
# larger proportion than a long document, because its proportion is less certain.

documents = representative_documents(lda, X, n_documents=3)
top_words = lda.top_words(words, n_words=5)
for topic in table.sort_values("coherence", ascending=False).index[:4]:
    print(f"Topic {topic}:", *top_words[topic])
    for document in documents[topic]:
        print(f"    {names[document]}")

# %%
# Print the characteristic topic of each library. It has more than 5 % of the library's
# words, and its share exceeds the average of all libraries by the largest factor.

libraries = [name.split(".")[0] for name in names]
classes, shares = topics_per_class(lda, X, libraries)
lift = shares / topic_sizes(lda, X)
for library, share, ratio in zip(classes, shares, lift):
    topic = np.where(share > 0.05, ratio, 0.0).argmax()
    print(
        f"{library:9} {share[topic]:4.0%} of its words ("
        f"average times {ratio[topic]:4.1f}) in topic {topic:2}:",
        *top_words[topic][:3],
    )

# %%
# One document
# ------------
# Choose the document whose second topic has the largest proportion. Print its topics
# with 90 % credible intervals, and the words that are assigned to each topic.

second_share = np.sort(lda.transform(X), axis=1)[:, -2]
document = second_share.argmax()
posterior = lda.doc_topic_posterior(X[[document]])
lower, upper = posterior.interval(0.9)
counts, probabilities = lda.word_topic_posterior(X[[document]])
of_topic = counts.data[:, np.newaxis] * probabilities  # expected counts

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
# `align_topics` matches the topics of a second fit to the topics of the first fit.
# Topics that both fits have found are stable. Other topics depend on the seed.

other = AmortizedLDA(n_components=25, random_state=1).fit(X)
_, matches, similarities = align_topics(lda, other)
print(f"Mean similarity {similarities.mean():.2f}; the most and least similar topics:")
other_top_words = other.top_words(words, n_words=5)
for topic in (similarities.argmax(), similarities.argmin()):
    print(f"    {similarities[topic]:.2f} ", *top_words[topic])
    print("      and ", *other_top_words[matches[topic]])

# %%
# Number of topics
# ----------------
# The held-out perplexity falls with the number of topics, by less and less. With many
# topics the diversity falls, because topics share top words.

quick = AmortizedLDA(max_iter=10, random_state=0)
curve = n_components_curve(quick, X[::4], [5, 20, 60])
for n, perplexity, diversity in zip(
    curve.n_components, curve.perplexity.mean(axis=1), curve.diversity.mean(axis=1)
):
    print(f"{n:3} topics: perplexity {perplexity:4.0f}, diversity {diversity:.2f}")

# %%
# After the fit, small topics can be removed. The words of a document are then assigned
# to the remaining topics.

effective = effective_number_of_topics(lda, X)
pruned = prune_topics(lda, topic_sizes(lda, X) >= 0.03)
print(f"effective number of topics: {effective:.1f} of {lda.n_components}")
print(f"{pruned.n_components} topics have 3 % of the words or more")
print(f"perplexity of X: {lda.perplexity(X):.0f}, pruned {pruned.perplexity(X):.0f}")

# %%
# Similar topics can be merged instead. Each merged topic keeps the words of its group.

groups = topic_hierarchy(lda).cut(12)
merged = merge_topics(lda, groups)
for group, label in zip(groups, topic_labels(merged, words, n_words=6)):
    print(f"{'+'.join(map(str, group)):>20}  {label}")
print(f"perplexity of X: {merged.perplexity(X):.0f}")

# %%
# The merged topics as a map. Close topics have similar words, and the area of a circle
# is the topic's share of all words.

TopicMapDisplay.from_estimator(merged, X, words)
pictures.save("reading_topics")
