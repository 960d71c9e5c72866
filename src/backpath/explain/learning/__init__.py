"""Finds out why a network with right gradients does not learn."""
