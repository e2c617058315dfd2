"""A stand-in VDX: the Management Node of a Pexip Infinity platform over HTTP, and the life on the platform.

It imports nothing of the suite that it is watched by, so that a mistake in one cannot hide in the other.
"""
