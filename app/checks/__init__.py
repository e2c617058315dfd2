"""The steps of `vdx check`, by what they look at."""
