"""Lower bounds on log-likelihoods, and the divergence of the topics.

Input: posteriors of theta or of the topics. Output: bounds and divergences in nats.
"""

from __future__ import annotations

import torch

from ..kernels.products import log_likelihood, pair_products
from ..model.distributions import dirichlet_kl, geometric_mean


def document_bound(gamma, batch, beta, alpha):
    """Lower bound on log p(w_d | alpha, beta) of each document, in nats.

    E_q[log p(w_d, z_d, theta_d)] + entropy with q(theta_d) = Dirichlet(gamma_d) and
    q(z_d) at its optimum: sum_v c_dv log sum_k exp(E_q[log theta_dk]) beta_kv
    - KL(q(theta_d) || Dirichlet(alpha)). This is a lower bound for any gamma. alpha may
    have a row for each document.

    Returns
    -------
    bound : Tensor of shape (n_documents,)
    """
    products = pair_products(geometric_mean(gamma), beta, batch)
    # float32 loses all digits of the divergence of a large gamma; MPS has no float64.
    dtype = gamma.dtype if gamma.device.type == "mps" else torch.float64
    kl = dirichlet_kl(gamma.to(dtype), alpha.to(dtype))
    return log_likelihood(products, batch) - kl


def topics_kl(topics) -> float:
    """sum_k KL(Dirichlet(lambda_k) || Dirichlet(eta_k)) over the words, in nats.

    Parameters
    ----------
    topics : Topics
    """
    # On the CPU, because not every device has float64.
    total = topics.total_of_words.cpu().double()
    eta_total = topics.eta_total_of_words.cpu().double()
    kl = (torch.lgamma(total) - torch.lgamma(eta_total)).sum()
    # Words that have not occurred have lambda = eta, and their terms are zero.
    for words in topics.known_words(with_labels=False):
        lam = topics.concentration(words).cpu().double()
        eta = topics.eta(words).cpu().double().expand_as(lam)
        expected_log = torch.digamma(lam) - torch.digamma(total)
        terms = torch.lgamma(eta) - torch.lgamma(lam) + (lam - eta) * expected_log
        kl = kl + terms.sum()
    return float(kl)
