"""The log exporter: what lines of the log archive tell, as metrics."""
