"""Larkmoor, an invented theme park: the worked example of what Butler is for."""
