"""Compiles the templates of automations: a restricted subset of Liquid. Pure.

Staff write the templates, but the values are untrusted. A template can read values, branch and
loop. It cannot load files or call other systems, and its loops and its output are limited.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TextIO
from urllib.parse import quote

from liquid import BoundTemplate, Environment
from liquid.builtin import content, illegal, output
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.filters import array, math, misc, string
from liquid.builtin.tags import assign_tag, case_tag, comment_tag, for_tag, if_tag, unless_tag
from liquid.context import RenderContext
from liquid.exceptions import LiquidError, UndefinedError
from liquid.expression import Expression
from liquid.static_analysis import TemplateAnalysis
from liquid.undefined import FalsyStrictUndefined

from butler.messages.filters import FILTERS

# plain: values are not escaped. markup: escaped for HTML. path: quoted for a URL.
type Escaping = Literal["plain", "markup", "path"]

# The largest length of a source, in characters.
MAX_SOURCE = 50_000
# Liquid limits iterations, but neither the cost of an iteration nor the time to parse a source.
MAX_PLACEHOLDERS = 500
MAX_FILTERS = 200
MAX_FILTERS_WITH_LOOP = 20

_TAGS = (
    content.Literal,
    output.Output,
    illegal.Illegal,
    if_tag.IfTag,
    unless_tag.UnlessTag,
    case_tag.CaseTag,
    for_tag.ForTag,
    for_tag.BreakTag,
    for_tag.ContinueTag,
    assign_tag.AssignTag,
    comment_tag.CommentTag,
)

_BUILT_IN: dict[str, Any] = {
    "capitalize": string.capitalize,
    "default": misc.default,
    "downcase": string.downcase,
    "first": array.first,
    "last": array.last,
    "map": array.map_,
    "minus": math.minus,
    "plus": math.plus,
    "size": misc.size,
    "strip": string.strip,
    "truncate": string.truncate,
    "uniq": array.uniq,
    "upcase": string.upcase,
    "where": array.where,
}


class InvalidTemplate(Exception):
    """A template that cannot be compiled, with the reason for its author."""


class MissingValues(Exception):
    """Values that a template needs and the context lacks."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(", ".join(names))
        self.names = names


class _PlainEnvironment(Environment):
    block_nesting_limit = 10
    context_depth_limit = 20
    loop_iteration_limit = 1000
    local_namespace_limit = 100_000
    output_stream_limit = 200_000

    def __init__(self, *, autoescape: bool = False) -> None:
        super().__init__(undefined=FalsyStrictUndefined, autoescape=autoescape)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register only the permitted tags and filters; ignore `extra`."""
        for tag in _TAGS:
            self.add_tag(tag)
        self.filters.update(_BUILT_IN)
        self.filters.update(FILTERS)


class _QuotedNode(output.OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the value, quoted for a URL; return the number of characters."""
        value = self.expression.evaluate(context)
        return buffer.write(quote(str(value), safe=""))


class _QuotedOutput(output.Output):
    node_class = _QuotedNode


class _PathEnvironment(_PlainEnvironment):
    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Replace the output tag with one that quotes values for a path."""
        super().setup_tags_and_filters(extra=extra)
        # Values are quoted, so a value cannot change the other segments of a path.
        self.add_tag(_QuotedOutput)


_ENVIRONMENTS: dict[Escaping, Environment] = {
    "plain": _PlainEnvironment(),
    "markup": _PlainEnvironment(autoescape=True),
    "path": _PathEnvironment(),
}


class Template(NamedTuple):
    """A compiled template, and the paths of the values that it reads."""

    liquid: BoundTemplate
    paths: tuple[str, ...]

    def fill(self, values: Mapping[str, object]) -> str:
        """Return the text; raise MissingValues for values that are absent or have a wrong type."""
        try:
            return self.liquid.render(values)
        except UndefinedError as error:
            raise MissingValues(self._missing_paths(_reason(error), values)) from None
        except LiquidError as error:
            raise MissingValues((_reason(error),)) from None
        except Exception as error:  # noqa: BLE001  # an unexpected value must not stop other messages
            raise MissingValues((f"a value has the wrong type ({type(error).__name__})",)) from None

    def _missing_paths(self, reason: str, values: Mapping[str, object]) -> tuple[str, ...]:
        """Return the missing paths. Liquid may name only the first part of a path."""
        name = reason.removesuffix(" is undefined").strip("'")
        return tuple(
            path
            for path in self.paths
            if (path == name or path.startswith(f"{name}.")) and not _has(values, path.split("."))
        ) or (name,)


@lru_cache(maxsize=4096)
def compile_template(source: str, escaping: Escaping = "plain") -> Template:
    """Compile a template; the result is cached. Raises InvalidTemplate."""
    _check_source(source)
    try:
        liquid = _ENVIRONMENTS[escaping].from_string(source)
        analysis = liquid.analyze(include_partials=False)
    except LiquidError as error:
        raise InvalidTemplate(_reason(error)) from None
    unknown = sorted(set(analysis.filters) - set(_ENVIRONMENTS[escaping].filters))
    if unknown:
        raise InvalidTemplate(f"there is no filter {', '.join(unknown)}")
    _check_cost(liquid, analysis)
    variables = [variable for places in analysis.globals.values() for variable in places]
    paths = _paths([variable.segments for variable in variables])
    return Template(liquid, tuple(sorted(set(paths))))


def _check_source(source: str) -> None:
    """Raise InvalidTemplate for a source that would take too long to parse."""
    if len(source) > MAX_SOURCE:
        raise InvalidTemplate(f"is longer than {MAX_SOURCE} characters")
    if source.count("{{") + source.count("{%") > MAX_PLACEHOLDERS:
        raise InvalidTemplate(f"has more than {MAX_PLACEHOLDERS} placeholders")
    if source.count("(") > MAX_PLACEHOLDERS:
        raise InvalidTemplate(f"has more than {MAX_PLACEHOLDERS} parentheses")


def _check_cost(liquid: BoundTemplate, analysis: TemplateAnalysis) -> None:
    """Raise InvalidTemplate for a template that would take too long to render."""
    # The length of a range has no limit; lists in the context are limited.
    if any(isinstance(each, RangeLiteral) for each in _expressions(liquid)):
        raise InvalidTemplate("has a range; a loop must run over a list")
    limit = MAX_FILTERS_WITH_LOOP if "for" in analysis.tags else MAX_FILTERS
    if sum(map(len, analysis.filters.values())) > limit:
        raise InvalidTemplate(f"has more than {limit} filters")


def _expressions(liquid: BoundTemplate) -> Iterator[Expression]:
    context, nodes = RenderContext(liquid), list(liquid.nodes)
    while nodes:
        node = nodes.pop()
        expressions = list(node.expressions())
        while expressions:
            expression = expressions.pop()
            yield expression
            expressions += expression.children()
        nodes += node.children(context, include_partials=False)


def _paths(variables: list[Any]) -> Iterator[str]:
    for segments in variables:
        names = []
        for segment in segments:
            if isinstance(segment, str):
                names.append(segment)
            elif not isinstance(segment, int):
                break
        # `size`, `first` and `last` are properties of lists, not keys.
        while names and names[-1] in ("size", "first", "last"):
            names.pop()
        yield ".".join(name for name in names if name not in ("first", "last"))


def _has(values: object, names: list[str]) -> bool:
    for name in names:
        if isinstance(values, list):
            values = values[0] if values else {}
        if not isinstance(values, Mapping) or name not in values:
            return False
        values = values[name]
    return True


def _reason(error: LiquidError) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
