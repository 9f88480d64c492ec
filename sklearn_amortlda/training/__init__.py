"""Training: Pyro's stochastic variational inference, from batches to fitted arrays.

Input: a corpus and the estimator's parameters. Output: the fitted attributes. `session`
is one call of `fit` or `partial_fit`. It makes a frozen configuration (`config`),
`setup` builds a training from it, and `loop` runs the epochs. `svi` takes one step on
Pyro's ELBO, and `optimizers` apply the gradients at the rates of `schedules`. After an
epoch `early_stopping` scores the model, and `observers` and `checkpoint` record it.
After training `convergence` checks the encoder, and `state` has the results as NumPy
arrays, and `label_calibration` an exponent for the labels.

`communicator` connects several processes, which average their models in `rounds`.
`workers` starts the processes of n_jobs.
"""
