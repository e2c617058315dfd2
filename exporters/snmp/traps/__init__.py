"""Traps and informs of the network kit."""
