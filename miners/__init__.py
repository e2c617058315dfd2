"""What goes out and fetches, on a clock."""
