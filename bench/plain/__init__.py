"""The bare statement in a plain view: what reading a record can cost at the least."""
