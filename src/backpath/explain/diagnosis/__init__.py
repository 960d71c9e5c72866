"""The mistake in somebody's gradients, found by making every mistake of a catalogue and comparing."""
