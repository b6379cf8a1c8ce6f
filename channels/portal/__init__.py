"""The portal: the pages for customers."""
