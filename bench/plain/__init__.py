"""The limit of reading a record: a minimal view with one SQL statement."""
