"""Log lines as the collector archives them: their form, their files, a reader that goes on where it was."""
