"""Writes explanations, block by block, from the plain data of ``derivation_data`` and ``step_data``."""
