"""Larkmoor, an invented theme park: the example company of Butler."""
