"""The mistake in given gradients, found by making every mistake of a catalogue and comparing."""
