"""The layers of a decision, one per module. Only the basis layer gives permission."""
