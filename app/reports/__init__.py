"""Reports of usage: what is asked, the figures, and the forms that they are handed out in."""
