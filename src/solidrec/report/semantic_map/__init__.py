"""The map of a catalogue by its semantic ids."""
