"""What the suite costs, as ratios in one run: `make bench`."""
