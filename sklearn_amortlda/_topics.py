"""The topics' posterior q(beta_k) = Dirichlet(lambda_k) and its natural-gradient step.

lambda = eta + excess, where the excess over the prior decays with every step, and each
word's row of it is stored as it was when the word last occurred: a step touches only
the words of its batch, and its cost does not depend on the size of the vocabulary.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.special import digamma

from ._kernels import put_rows, take_rows

# Of words that are gone through all: what is done to them stays in the cache.
_WORDS_PER_CHUNK = 2048
# Topics with this cosine, of the words that are any topic's top words, are the same.
_DUPLICATE = 0.9
_TOP_WORDS = 20
# Where a learned eta stays.
_ETA_RANGE = (1e-4, 10.0)
# What a full step leaves of the past: nothing, to any precision, and yet a logarithm.
_NOTHING = 1e-300


class Topics:
    """Variational posterior of all topics on one device.

    Parameters
    ----------
    components : ndarray of shape (n_topics, n_features)
        lambda, the parameters of the Dirichlet posteriors. Words whose lambda is the
        prior are taken for words that have not occurred.
    eta : float or ndarray of shape (n_features,) or (n_topics, n_features)
        Parameters of the Dirichlet prior.
    dtype : torch.dtype
        Type of the stored parameters; their sums are float64.
    device : torch.device
        Where they live.
    tried : iterable of int, default=()
        Topics that `recycle` has split.

    Notes
    -----
    Time is the logarithm of what the steps so far have left of the excess they came
    upon: a row decays by exp(clock - since). Rows of words that have not occurred are
    since infinity.

    An exception at any point, Ctrl-C among them, leaves parameters of which `settle`
    makes a posterior: what belongs together is computed first and then assigned.
    """

    def __init__(
        self, components, eta, *, dtype: torch.dtype, device: torch.device, tried=()
    ):
        self.n_topics, self.n_features = components.shape
        self._dtype, self._device = dtype, device
        # Sums over the vocabulary are maintained, so they need the longer type, and so
        # does the time; MPS has none.
        self._long = dtype if device.type == "mps" else torch.float64
        self._set_eta(np.asarray(eta, dtype=np.float64))
        excess = torch.tensor(components.T, dtype=dtype, device=device)
        self._excess = excess.contiguous().sub_(self._eta)
        self._since = excess.new_zeros(self.n_features, dtype=self._long)
        self._begin()
        self.tried = set(tried)

    def _set_eta(self, prior):
        eta = np.atleast_2d(prior).T
        total = np.broadcast_to(eta, (self.n_features, self.n_topics)).sum(0)
        eta = torch.tensor(eta, dtype=self._dtype, device=self._device)
        total = torch.tensor(total, dtype=self._long, device=self._device)
        self.prior, self._eta, self._eta_total = prior, eta, total

    def settle(self) -> None:
        """Bring all rows to the present, to the state that `components` would restore.

        At the cost of the words that have occurred.
        """
        for words in self._known_words():
            rows, eta = self.excess(words), self.eta(words)
            # Twice, for the difference of the first may be a tie that rounds elsewhere
            # when taken again; the second is a fixed point.
            for _ in range(2):
                rows.add_(eta).sub_(eta)
            self._put(words, rows, self._clock)
        self._begin()

    def _begin(self):
        """Let all rows be as of now, which is time zero, and sum them up."""
        since = torch.full_like(self._since, math.inf)
        total = torch.zeros_like(self._eta_total)
        for words in self._known_words():
            rows = take_rows(self._excess, words)
            since[words[rows.any(1)]] = 0.0
            total += rows.sum(0, dtype=self._long)
        # At one blow, for an interrupt between these would make rows decay again.
        vars(self).update(_clock=0.0, _since=since, _excess_total=total)

    def components(self) -> np.ndarray:
        """lambda of shape (n_topics, n_features), in memory word by word."""
        shape = self.n_features, self.n_topics
        components = self._eta.expand(shape).cpu().numpy().copy()
        for words in self._known_words():
            components[words.cpu().numpy()] = self.concentration(words).cpu().numpy()
        return components.T

    def eta(self, words):
        """Prior parameters of some words, broadcastable to (words, topics)."""
        return self._eta if len(self._eta) == 1 else take_rows(self._eta, words)

    @property
    def eta_total(self):
        """Sum of each topic's prior parameters over the vocabulary, shape (topics,)."""
        return self._eta_total.to(self._dtype)

    def concentration(self, words):
        """lambda of some words, shape (words, topics)."""
        return self.excess(words).add_(self.eta(words))

    def excess(self, words):
        """lambda - eta of some words, shape (words, topics)."""
        decay = torch.exp(self._clock - self._since.index_select(0, words))
        rows = take_rows(self._excess, words)
        return rows.mul_(decay.to(self._dtype).unsqueeze(1))

    @property
    def total(self):
        """Sum of each topic's lambda over the vocabulary, shape (topics,)."""
        return (self._eta_total + self._excess_total).to(self._dtype)

    def natural_gradient_step(
        self, words, excess, statistics, step_size: float
    ) -> None:
        """lambda <- (1 - step_size) lambda + step_size (eta + statistics).

        `eta + statistics - lambda` is the gradient of the ELBO preconditioned by the
        inverse Fisher information of q(beta) (Hoffman et al. 2013, eq. 24); the
        statistics are its derivative in E_q[log beta], scaled to the whole corpus and
        zero for every word not listed.

        Parameters
        ----------
        words : Tensor of shape (n_words,)
            Distinct words.
        excess : Tensor of shape (n_words, n_topics)
            What `excess` has said of them; overwritten.
        statistics : Tensor of shape (n_words, n_topics)
            Their expected counts in each topic.
        step_size : float in (0, 1]
            rho_t of the Robbins-Monro schedule.
        """
        rows = excess.lerp_(statistics, step_size)
        total = statistics.sum(0).to(self._long)
        total = torch.lerp(self._excess_total, total, step_size)
        clock = self._clock + math.log(max(1.0 - step_size, _NOTHING))
        vars(self).update(_clock=clock, _excess_total=total)
        self._put(words, rows, clock)

    def _put(self, words, rows, clock):
        put_rows(self._excess, words, rows)
        put_rows(self._since, words, self._since.new_full((len(words),), clock))

    def recycle(self, rng: np.random.Generator) -> list[tuple[int, int, int]]:
        """Free topics that say what another one says, to take up half of a third.

        Two topics that became one are a local optimum: elsewhere one topic stands for
        two. A duplicate is merged into its twin, and the place it leaves goes to a
        random share of the words of the largest topic not yet tried, since a topic
        that stands for two is large. Where it stood for one, the halves become
        duplicates again.

        Parameters
        ----------
        rng : numpy.random.Generator
            Draws the share of each word.

        Returns
        -------
        moves : list of (freed, twin, split)
            What was done, by indices of topics.
        """
        moves, taken = [], set()
        for twin, freed in self._duplicates():
            if twin in taken or freed in taken:
                continue
            by_size = self._excess_total.argsort(descending=True).tolist()
            barred = self.tried | taken | {twin, freed}
            split = next((topic for topic in by_size if topic not in barred), None)
            if split is None:
                break
            moves.append((freed, twin, split))
            taken.update((freed, twin, split))
            self.tried.add(split)
        if moves:
            self._move(moves, rng)
            self.settle()
        return moves

    def _move(self, moves, rng):
        for words in self._known_words():
            rows = take_rows(self._excess, words)
            for freed, twin, split in moves:
                share = torch.from_numpy(rng.uniform(0.3, 0.7, len(words))).to(rows)
                rows[:, twin] += rows[:, freed]
                rows[:, freed] = share * rows[:, split]
                rows[:, split] *= 1.0 - share
            put_rows(self._excess, words, rows)

    def learn_eta(self) -> None:
        """One fixed-point step of a symmetric eta at the present expected counts.

        eta <- eta E[sum_kv psi(n_kv + eta) - psi(eta)] / V sum_k [psi(n_k + V eta) -
        psi(V eta)] (Minka 2000, eq. 55), n_kv the occurrences of word v in topic k.
        A tenth of an expected occurrence is mostly none at all, so the expectation is
        that of a Poisson number's positive part (Teh et al. 2008, section 3.2); psi at
        the expected number would learn an eta too large by up to fourfold.
        """
        eta, n_features = float(self.prior), self.n_features
        psi_eta, psi_total = digamma(eta), digamma(n_features * eta)
        numerator = 0.0
        # Words that have not occurred add nothing.
        for words in self._known_words():
            counts = self.excess(words).cpu().double().clamp_min_(1e-12)
            positive = -torch.expm1(-counts)
            psi = torch.digamma(counts / positive + eta)
            numerator += float((positive * (psi - psi_eta)).sum())
        totals = torch.digamma(self.total.cpu().double()) - psi_total
        denominator = n_features * float(totals.sum())
        if denominator > 0.0:
            eta = np.clip(eta * numerator / denominator, *_ETA_RANGE)
            self._set_eta(np.asarray(eta))

    def _duplicates(self):
        """Pairs of topics alike in their top words, the most alike first."""
        unit = torch.nn.functional.normalize(
            self.concentration(self._top_words()), dim=0
        )
        cosines = torch.triu(unit.T @ unit, diagonal=1).cpu().numpy()
        pairs = np.argwhere(cosines > _DUPLICATE)
        return pairs[np.argsort(-cosines[tuple(pairs.T)])].tolist()

    def _top_words(self):
        """Words that are any topic's top words."""
        top, least = self._since.new_empty(0, dtype=torch.int64), -math.inf
        for words in self._known_words():
            # Most words are far from the top, and need not be sorted.
            rows = self.excess(words)
            words = torch.cat([top, words[(rows > least).any(1)]])
            rows = self.excess(words)
            best, places = rows.topk(min(_TOP_WORDS, len(words)), dim=0)
            top, least = words[places.unique()], best[-1]
        return top

    def kl(self) -> float:
        """sum_k KL(Dirichlet(lambda_k) || Dirichlet(eta_k)), in nats."""
        # On the CPU, for not every device has float64.
        total, eta_total = self.total.cpu().double(), self._eta_total.cpu().double()
        kl = (torch.lgamma(total) - torch.lgamma(eta_total)).sum()
        # lambda is eta where a word has not occurred.
        for words in self._known_words():
            lam = self.concentration(words).cpu().double()
            eta = self.eta(words).cpu().double().expand_as(lam)
            expected_log = torch.digamma(lam) - torch.digamma(total)
            terms = torch.lgamma(eta) - torch.lgamma(lam) + (lam - eta) * expected_log
            kl = kl + terms.sum()
        return float(kl)

    def _known_words(self):
        """Words that have occurred, in chunks."""
        known = torch.isfinite(self._since).nonzero().squeeze(1)
        return known.split(_WORDS_PER_CHUNK)
