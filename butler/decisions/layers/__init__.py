"""The layers of a decision, one a module: each narrows, and only the basis gives permission."""
