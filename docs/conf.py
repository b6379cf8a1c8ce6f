"""Builds the documentation: `make docs`. It needs no network, and its pages none either."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent

project = "Butler"
author = "The authors of Butler"
release = version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
# A code block without a language is plain text.
highlight_language = "text"

html_theme = "furo"
html_title = f"Butler {release}"
html_copy_source = False
html_show_copyright = False
