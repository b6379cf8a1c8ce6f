"""Whether statements give the same rows under every plan: python -m bench.plans."""
