"""The process around a fit: devices, global state, memory and stored models.

Input: the user's device, the size of a fit and the fitted attributes. Output: a torch
device (`device`), known settings of torch and Pyro that are restored afterwards
(`torch_context`, `pyro_context`, `process_lock`), a MemoryError that names its cause
(`memory`), a state for pickle, joblib and skops.io (`serialization`), and values to
hash for the fingerprint of a checkpoint (`fingerprint`).
"""
