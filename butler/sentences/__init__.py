"""The reasons for what is decided, in the words of the customer's language."""
