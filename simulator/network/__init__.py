"""A stand-in for VDX's network kit: SNMP agents that answer as FortiGate, Nexus, iDRAC and a SAN do.

The agents speak SNMP v2c on loopback; the objects that they show, their units and their oddities are those of
the vendors' MIBs. Nothing here imports what polls them.
"""
