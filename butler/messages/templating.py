"""Compiles the texts of automations: Liquid with all taken out that they do not need. Pure.

Texts are written by staff and filled with what anybody may have sent. They can read values,
choose and repeat; they cannot load, call out, loop for long or grow.
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

# plain: values as they are. markup: escaped for HTML. path: quoted for an address.
type Kind = Literal["plain", "markup", "path"]

# A source longer than this is no message.
SOURCE = 50_000
# Liquid counts repetitions, but neither what each of them does nor how long it reads a source.
PLACES = 500
FILTERED = 200
FILTERED_AGAIN = 20

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


class BadTemplate(Exception):
    """A text that cannot be, and why, for the person who wrote it."""


class Missing(Exception):
    """Values that a text needs and the context has not."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(", ".join(names))
        self.names = names


class _Plain(Environment):
    block_nesting_limit = 10
    context_depth_limit = 20
    loop_iteration_limit = 1000
    local_namespace_limit = 100_000
    output_stream_limit = 200_000

    def __init__(self, *, autoescape: bool = False) -> None:
        super().__init__(undefined=FalsyStrictUndefined, autoescape=autoescape)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in _TAGS:
            self.add_tag(tag)
        self.filters.update(_BUILT_IN)
        self.filters.update(FILTERS)


class _QuotedNode(output.OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        return buffer.write(quote(str(value), safe=""))


class _Quoted(output.Output):
    node_class = _QuotedNode


class _Path(_Plain):
    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        # What stands in a path is one part of it: no value leads to another page.
        self.add_tag(_Quoted)


_ENVIRONMENTS: dict[Kind, Environment] = {
    "plain": _Plain(),
    "markup": _Plain(autoescape=True),
    "path": _Path(),
}


class Template(NamedTuple):
    """A compiled text, and the paths of the values that it reads."""

    bound: BoundTemplate
    paths: tuple[str, ...]

    def fill(self, values: Mapping[str, object]) -> str:
        """Return it filled; raise Missing for what is not there or not of its kind."""
        try:
            return self.bound.render(values)
        except UndefinedError as error:
            raise Missing(self._absent(_reason(error), values)) from None
        except LiquidError as error:
            raise Missing((_reason(error),)) from None
        except Exception as error:  # noqa: BLE001  # an odd value must not stop other messages
            raise Missing((f"a value is not of its kind ({type(error).__name__})",)) from None

    def _absent(self, reason: str, values: Mapping[str, object]) -> tuple[str, ...]:
        """Return the paths that the reason is about: it may name only where they begin."""
        name = reason.removesuffix(" is undefined").strip("'")
        return tuple(
            path
            for path in self.paths
            if (path == name or path.startswith(f"{name}.")) and not _has(values, path.split("."))
        ) or (name,)


@lru_cache(maxsize=4096)
def compiled(source: str, kind: Kind = "plain") -> Template:
    """Compile a text once. Raises BadTemplate."""
    _look_at_source(source)
    try:
        bound = _ENVIRONMENTS[kind].from_string(source)
        analysis = bound.analyze(include_partials=False)
    except LiquidError as error:
        raise BadTemplate(_reason(error)) from None
    strange = sorted(set(analysis.filters) - set(_ENVIRONMENTS[kind].filters))
    if strange:
        raise BadTemplate(f"there is no filter {', '.join(strange)}")
    _look_at_cost(bound, analysis)
    variables = [one for found in analysis.globals.values() for one in found]
    return Template(bound, tuple(sorted(set(_paths([one.segments for one in variables])))))


def _look_at_source(source: str) -> None:
    """Refuse what would take long only to be read. Raises BadTemplate."""
    if len(source) > SOURCE:
        raise BadTemplate(f"longer than {SOURCE} characters")
    if source.count("{{") + source.count("{%") > PLACES:
        raise BadTemplate(f"more than {PLACES} places to fill")
    if source.count("(") > PLACES:
        raise BadTemplate(f"more than {PLACES} parentheses")


def _look_at_cost(bound: BoundTemplate, analysis: TemplateAnalysis) -> None:
    """Refuse what would take long to fill. Raises BadTemplate."""
    # A range is as long as two numbers say; lists that are there have an end.
    if any(isinstance(one, RangeLiteral) for one in _expressions(bound)):
        raise BadTemplate("a range; what is repeated is a list")
    most = FILTERED_AGAIN if "for" in analysis.tags else FILTERED
    if sum(map(len, analysis.filters.values())) > most:
        raise BadTemplate(f"more than {most} filters")


def _expressions(bound: BoundTemplate) -> Iterator[Expression]:
    context, nodes = RenderContext(bound), list(bound.nodes)
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
        # How many there are, and the first of them, can be asked of any list.
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
