"""Extractive answers: which sentences of the given passages answer the question, and how sure that is."""
