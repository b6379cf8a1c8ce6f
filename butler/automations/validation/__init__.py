"""Validates the files of automations, and returns all of their problems at once. Pure."""
