"""HTML pages: the report of an experiment and the semantic map of a catalogue."""
