"""Every gradient explained, and the mistake in a wrong one named."""
