"""Reading the record. Nothing here writes, and everything that comes out is frozen."""
