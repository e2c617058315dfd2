"""The pages of the network kit: an overview, and one for each device."""
