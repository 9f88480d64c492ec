"""From the user's matrix to mini-batches.

Input: X in any format. Output, in this order: canonical CSR counts (`validation`,
`vocabulary`), a corpus of weighted documents (`corpus`), and mini-batches over their
own distinct words (`batches`), whose words are split into two halves where the
objective asks for it (`thinning`).
"""
