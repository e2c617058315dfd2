"""Lines of the archive, handed on to Humio (LogScale): each at least once, none lost."""
