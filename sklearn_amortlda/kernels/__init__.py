"""Arithmetic over the non-zeros of a batch.

Input: a batch and matrices with a row for each document or word. Output: products and
sums over the non-zeros (`products`), and rows that are gathered from or scattered to
tables of the whole vocabulary (`rows`). No array has the size documents x words.
"""
