"""Docstrings and comments have a concrete subject in every sentence."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOT, files

# A question may begin with these words.
RIDDLE = re.compile(r"(?:^|[.:;]\s)(?:What|Who|Whoever|Whatever|Whose|Somebody)\b[^.?]*(?![^.]*\?)")


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring and of each block of comments."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and (text := ast.get_docstring(node)):
            yield node.body[0].lineno, " ".join(text.split())
    end, block = 0, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            line, text = token.start[0], token.string.lstrip("# ")
            block = f"{block} {text}" if line == end + 1 else text
            end = line
            yield line, block


def riddles(source: str) -> list[int]:
    """Return the lines of the texts that have a sentence without a concrete subject."""
    return [line for line, text in sentences(source) if RIDDLE.search(text)]


def test_no_sentence_has_what_or_who_as_its_subject():
    offenders = [
        f"{path}:{line}"
        for path in files("*.py")
        if "migrations" not in path.parts
        for line in riddles((ROOT / path).read_text())
    ]

    assert offenders == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('"""What is sent twice counts once."""', [1]),
        ('"""A message. Whoever reads it sees it."""', [1]),
        ("x = 1\n# Who waits is refused.", [2]),
        ("# A long comment.\n# What ends here.", [2]),
        ('"""What is due?"""', []),
        ('"""Return the message."""\n# The one who waits.', []),
    ],
)
def test_sentences_of_docstrings_and_comments_are_read(source, lines):
    assert riddles(source) == lines
