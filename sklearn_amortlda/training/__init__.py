"""Training: Pyro's stochastic variational inference, from batches to fitted arrays.

Input: a corpus and the estimator's parameters, as one frozen `config`. Output: a
`state` of NumPy arrays. `setup` builds a training; `loop` runs its epochs; `svi` takes
one step on Pyro's ELBO; `optimizers` apply its gradients at the rates of `schedules`.
`early_stopping`, `observers`, `checkpoint` and `communicator` hold what follows an
epoch, and the other processes of a distributed fit.
"""
