"""Finds the mistake in given gradients by making each mistake of a catalogue and comparing."""
