"""The customer's pages, one module each: query, word, render."""
