"""Runs Butler on one machine: embedded services, one supervisor, one terminal."""
