"""The views of the portal. Each view queries, converts the rows with a presenter, and renders."""
