"""The ground floor: settings, the Pexip client, the records, the arithmetic and the database."""
