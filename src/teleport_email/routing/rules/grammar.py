"""From the text of a condition to its tree: the part of Go's expression syntax that can ever be valid.

What Go parses but Teleport refuses (``+``, ``<``, slices, function literals ...) is refused here already.
lark is imported here and nowhere else, and this module only once there is a condition to parse.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import LarkError, UnexpectedCharacters, UnexpectedToken

from teleport_email.core.errors import ConditionError
from teleport_email.routing.rules import literals
from teleport_email.routing.rules.tree import (
    Call,
    Chain,
    Comparison,
    Group,
    Index,
    Literal,
    Name,
    Node,
    Not,
    Selector,
    below,
    brief,
)

# The largest that Teleport's own editor makes, one name for each of some hundreds of roles, stay below this.
MAX_LENGTH = 32_768

_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"

GRAMMAR = r"""
start: either SEMICOLON?

?either: both
       | both (OR both)+                -> chain
?both: compared
     | compared (AND compared)+         -> chain
?compared: unary (COMPARE unary)*
?unary: operand
      | NOT unary                       -> negation
?operand: NAME                          -> name
      | STRING                          -> string
      | RAW_STRING                      -> raw_string
      | NUMBER                          -> number
      | OPEN either CLOSE               -> group
      | operand DOT NAME                -> selector
      | operand OPEN_INDEX either COMMA? CLOSE_INDEX    -> index
      | operand OPEN [arguments] CLOSE  -> call
arguments: either (COMMA either)* ELLIPSIS? COMMA?

OR: "||"
AND: "&&"
COMPARE: "==" | "!="
NOT: "!"
DOT: "."
ELLIPSIS: "..."
COMMA: ","
OPEN: "("
CLOSE: ")"
OPEN_INDEX: "["
CLOSE_INDEX: "]"
NAME: /[^\W\d]\w*/
STRING: /"(?:[^"\\\n]|\\[^\n])*"/
RAW_STRING: /`[^`]*`/
NUMBER.2: /\.?[0-9](?:[0-9A-Za-z_.]|(?<=[eEpP])[+-])*/
COMMENT.2: /\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\//
NEWLINE: /\n/
%ignore /[ \t\r]+/
%declare SEMICOLON
"""

_GO_KEYWORDS = frozenset(
    (
        "break",
        "case",
        "chan",
        "const",
        "continue",
        "default",
        "defer",
        "else",
        "fallthrough",
        "for",
        "func",
        "go",
        "goto",
        "if",
        "import",
        "interface",
        "map",
        "package",
        "range",
        "return",
        "select",
        "struct",
        "switch",
        "type",
        "var",
    )
)
_ENDS_OPERAND = frozenset({"NAME", "STRING", "RAW_STRING", "NUMBER", "CLOSE", "CLOSE_INDEX"})
_HINTS = {
    '"': "the string does not end",
    "`": "the string does not end",
    "'": "strings stand in double quotes or back quotes, not in single ones",
    "+": "there is no +",
    "<": "there is no <; times have before(), after() and between()",
    ">": "there is no >; times have before(), after() and between()",
    "?": "there is no ? :, but ifelse(condition, a, b)",
    "and": "write && for and",
    "or": "write || for or",
    "not": "write ! for not",
    "=": "write == to compare",
    "&": "write && for and",
    "|": "write || for or",
}


def parse_tree(text: str) -> Node:
    """The tree of ``text``; ``ConditionError`` with position where it is no condition, and nothing else."""
    _check_characters(text)
    try:
        # Go skips a byte order mark at the very beginning; a space keeps all positions as they are.
        tree = _parser().parse(" " + text[1:] if text.startswith(_BYTE_ORDER_MARK) else text)
    except UnexpectedInput as error:
        raise _explained(error, text) from None
    except LarkError as error:
        if isinstance(cause := error.__context__, ConditionError):
            raise cause from None
        raise ConditionError("is no condition") from error
    assert isinstance(tree, Node)
    return tree


class _Newlines:
    """Go's semicolons: a line's end behind an operand ends the expression (specification, "Semicolons")."""

    always_accept = ("NEWLINE", "COMMENT")

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Drop comments and line ends, or turn them into the semicolon that they mean."""
        behind_operand = False
        for token in stream:
            if token.type in self.always_accept:
                if behind_operand and "\n" in token:
                    yield Token.new_borrow_pos("SEMICOLON", token, token)
                    behind_operand = False
                continue
            behind_operand = token.type in _ENDS_OPERAND
            yield token


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Makes the nodes while lark parses, so that no tree has to be walked."""

    def start(self, tree: Node, *_: Token) -> Node:
        return tree

    def name(self, token: Token) -> Node:
        return Name(name=_identifier(token), position=_at(token))

    def string(self, token: Token) -> Node:
        return Literal(value=literals.interpreted_string(token, _at(token)), position=_at(token))

    def raw_string(self, token: Token) -> Node:
        return Literal(value=literals.raw_string(token), position=_at(token))

    def number(self, token: Token) -> Node:
        return Literal(value=literals.number(token, _at(token)), position=_at(token))

    def group(self, opened: Token, inner: Node, _: Token) -> Node:
        return Group(inner=inner, position=_at(opened), depth=below(_at(opened), inner))

    def selector(self, of: Node, _: Token, token: Token) -> Node:
        depth = below(_at(token), of)
        return Selector(of=of, name=_identifier(token), position=of.position, depth=depth)

    def index(self, of: Node, opened: Token, key: Node, *_: Token) -> Node:
        return Index(of=of, key=key, position=of.position, depth=below(_at(opened), of, key))

    def call(self, function: Node, opened: Token, arguments: tuple[Node, ...] | None, _: Token) -> Node:
        given = arguments or ()
        depth = below(_at(opened), function, *given)
        return Call(function=function, arguments=given, position=function.position, depth=depth)

    def arguments(self, *parts: Node | Token) -> tuple[Node, ...]:
        # "..." behind the last argument is Go syntax that Teleport's parser overlooks, and so does this one.
        return tuple(part for part in parts if isinstance(part, Node))

    def negation(self, mark: Token, operand: Node) -> Node:
        return Not(operand=operand, position=_at(mark), depth=below(_at(mark), operand))

    def chain(self, *parts: Node | Token) -> Node:
        operands = tuple(part for part in parts if isinstance(part, Node))
        return Chain(
            operator=str(parts[1]),
            operands=operands,
            position=operands[0].position,
            depth=below(operands[0].position, *operands),
        )

    def compared(self, left: Node, *rest: Node | Token) -> Node:
        for operator, right in zip(rest[::2], rest[1::2], strict=True):
            assert isinstance(right, Node)
            left = Comparison(
                operator=str(operator),
                left=left,
                right=right,
                position=left.position,
                depth=below(left.position, left, right),
            )
        return left


@functools.cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="basic", postlex=_Newlines(), transformer=_Builder())


def _check_characters(text: str) -> None:
    if not text:
        raise ConditionError("the condition is empty")
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"the condition is longer than {MAX_LENGTH} characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConditionError("is no Unicode text", error.start) from None
    # Go's scanner takes neither anywhere, not even in strings and comments; a byte order mark may come first.
    if (position := text.find("\0")) >= 0:
        raise ConditionError("contains a NUL character", position)
    if (position := text.find(_BYTE_ORDER_MARK, 1)) >= 0:
        raise ConditionError("contains a byte order mark", position)


def _identifier(token: Token) -> str:
    if token in _GO_KEYWORDS:
        raise ConditionError(f"{token} is a word of the Go language and no name", _at(token))
    for character in token:
        # Python's \w has more: roman numerals, superscripts, marks.
        category = unicodedata.category(character)
        if not (character == "_" or category == "Nd" or category.startswith("L")):
            raise ConditionError(f"{brief(token)} is no name", _at(token))
    return str(token)


def _explained(error: UnexpectedInput, text: str) -> ConditionError:
    if isinstance(error, UnexpectedToken):
        found, position = str(error.token), _at(error.token)
        if error.token.type == "$END":
            return ConditionError("ends too early", len(text))
        if error.token.type == "SEMICOLON" or error.expected == {"$END"}:
            hint = "a line that goes on must end with an operator, a comma or a dot"
            return ConditionError(f"the condition ends before this: {hint}", position)
    elif isinstance(error, UnexpectedCharacters):
        position = error.pos_in_stream or 0
        found = text[position : position + 1]
    else:
        return ConditionError("ends too early", len(text))
    hint = _HINTS.get(found, "")
    return ConditionError(f"unexpected {_quoted(found)}" + (f": {hint}" if hint else ""), position)


def _quoted(token: str) -> str:
    shown = brief(token)
    return shown if shown.isprintable() else ascii(shown)


def _at(token: Token) -> int:
    return token.start_pos or 0
