"""Compares backpath with its peers (``scripts/bench``)."""
