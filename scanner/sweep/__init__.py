"""Finding which endpoints answer, and asking those that do."""
