"""Reads records and lists. The modules here write no rows and return frozen values."""
