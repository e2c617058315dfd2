"""The live page: the platform's state, licences and hardware at a glance, without reload."""
