"""The suite's own log: what is left out of it, and how it reaches a syslog server."""
