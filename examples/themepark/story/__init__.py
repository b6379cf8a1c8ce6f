"""The story of one order, told by whoever saw it: through published clients and the API alone."""
