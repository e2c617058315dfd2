"""Copies of the configuration of network devices: how to ask each kind, and where copies are kept."""
