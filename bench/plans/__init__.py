"""Checks that statements return the same rows under all plans: python -m bench.plans."""
