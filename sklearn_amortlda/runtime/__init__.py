"""The process around a fit: devices, global state, memory and files.

Input: the user's device, the size of a fit and the fitted arrays. Output: a torch
device, torch and Pyro in a known state that is restored afterwards, a MemoryError that
names its cause, and a state that any format can store.
"""
