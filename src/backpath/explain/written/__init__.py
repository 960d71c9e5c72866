"""What an explanation says, block by block: read from the plain data of ``derivation_data`` and ``step_data``."""
