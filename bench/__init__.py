"""Measures backpath beside its peers: ``scripts/bench``."""
