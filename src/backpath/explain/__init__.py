"""Explains gradients, and names the mistakes in wrong ones."""
