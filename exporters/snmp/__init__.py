"""The SNMP exporter: polls the network kit, receives its traps, and serves both to Prometheus."""
