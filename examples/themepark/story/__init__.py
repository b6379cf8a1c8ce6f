"""The story of one order, played with published clients and the public API only."""
