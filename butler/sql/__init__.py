"""The SQL statements of butler, one per file. The header of a file describes its contract."""

from pathlib import Path

from customers.sql import StatementFolder

_folder = StatementFolder(Path(__file__).parent)
load, run, rows = _folder.load, _folder.run, _folder.rows
