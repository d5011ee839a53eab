"""Read an expression: precedence climbing over its pieces, to a tree that is closed and of bounded depth."""

from __future__ import annotations

import keyword
from functools import lru_cache

from twinbrain.errors import SpecError
from twinbrain.language.names import check_identifier
from twinbrain.language.sizes import check_numbers, check_size, growth
from twinbrain.language.tokens import PlacedError, Token, printable, tokens_of
from twinbrain.language.tree import BINDING, COMPARISONS, FUNCTIONS, SIGN_BINDING, Call, Name, Number, Operation, Tree

DEEPEST = 50
"""How many parentheses, signs, powers and functions may stand within each other."""


class Reader:
    """Reads one text, piece by piece.

    Parameters
    ----------
    text : str
        The text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokens_of(text)
        self._next = 0
        self._depth = 0

    def peek(self) -> Token:
        """Return the next piece."""
        return self._tokens[self._next]

    def take(self) -> Token:
        """Return the next piece, and go on to the one after it."""
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def takes(self, *texts: str) -> bool:
        """Return whether the next piece is one of these, and go on if so."""
        found = self.peek().text in texts and self.peek().kind != "end"
        if found:
            self.take()
        return found

    def skip_lines(self, *of: str) -> None:
        """Go on beyond ends of lines (``of``: newline, semicolon; all without it)."""
        while self.peek().kind == "line" and (not of or self.peek().text in of):
            self.take()

    def refuse(self, expected: str, token: Token | None = None, advice: str = "") -> PlacedError:
        """Return the error that something else was expected than what comes next, or than ``token``."""
        token = token or self.peek()
        found = {"\n": "the end of the line", "": "the end"}.get(token.text, f"'{printable(token.text[:64])}'")
        return PlacedError(self.text, token.at, f"expected {expected}, found {found}{advice}")

    def check_name(self, token: Token) -> None:
        """Check the form of a name that is used."""
        try:
            check_identifier(token.text)
        except SpecError as error:
            raise PlacedError(self.text, token.at, str(error)) from None

    def rest_of_line(self) -> tuple[int, str]:
        """Return where what is left of this line begins, and its text; go on to its end."""
        start = self.peek().at
        while self.peek().kind not in ("line", "end"):
            self.take()
        return start, self.text[start : self.peek().at].partition("#")[0].rstrip()

    def number(self, through_lines: bool = False) -> Tree:
        """Read an expression whose value is a number; see `expression`."""
        start = self.peek()
        tree = self.expression(through_lines)
        if is_condition(tree):
            raise PlacedError(self.text, start.at, "expected a number, found a condition; int(…) makes 1 or 0 of one")
        return tree

    def expression(self, through_lines: bool = False) -> Tree:
        """Read an expression and check its numbers and size.

        Parameters
        ----------
        through_lines : bool
            Whether it goes on over ends of lines, as within parentheses.
        """
        tree = self._climb(0, through_lines)
        check_size(self.text, tree)
        check_numbers(self.text, tree)
        growth(tree, {})
        return tree

    def _climb(self, least: int, within: bool) -> Tree:
        """Read operands and the operators between them that bind at least so tightly."""
        self._deeper()
        left = self._operand(within)
        while True:
            if within:
                self.skip_lines("\n")
            token = self.peek()
            binding = BINDING.get(token.text)
            if binding is None or token.kind == "end" or binding < least:
                break
            self.take()
            # A power binds to the right, and its exponent may have a sign.
            right = self._climb(SIGN_BINDING["-"] if token.text == "**" else binding + 1, within)
            left = self._operation(token, left, right)
            if token.text in COMPARISONS and self.peek().text in COMPARISONS:
                raise self.refuse('one comparison, or several joined by "and"')
        self._depth -= 1
        return left

    def _operand(self, within: bool) -> Tree:
        if within:
            self.skip_lines("\n")
        token = self.take()
        if token.kind == "number":
            is_whole = token.text.isdigit()
            return Number(int(token.text) if is_whole else float(token.text), token.at)
        if token.text in SIGN_BINDING:
            return self._operation(token, self._climb(SIGN_BINDING[token.text], within))
        if token.text == "(":
            tree = self._climb(0, True)
            self.skip_lines("\n")
            if not self.takes(")"):
                raise self.refuse('an operator or ")"')
            return tree
        if token.kind != "name" or keyword.iskeyword(token.text):
            raise self.refuse('a number, a name or "("', token)
        if self.peek().text == "(":
            return self._call(token)
        if token.text in FUNCTIONS:
            raise self.refuse(f'"(" after the function {token.text}')
        self.check_name(token)
        return Name(token.text, token.at)

    def _call(self, function: Token) -> Tree:
        if function.text not in FUNCTIONS:
            raise self.refuse(
                f"one of the functions {', '.join(FUNCTIONS)}",
                function._replace(text=f"{function.text[:64]}(…)"),
                "; write it otherwise",
            )
        self.take()
        arguments: list[Tree] = []
        self.skip_lines("\n")
        while not self.takes(")"):
            if arguments and not self.takes(","):
                raise self.refuse('an operator, "," or ")"')
            arguments.append(self._climb(0, True))
            self.skip_lines("\n")
        wanted = FUNCTIONS[function.text]
        if len(arguments) != wanted:
            raise PlacedError(
                self.text,
                function.at,
                f"expected {wanted} argument{'s' * (wanted > 1)} of {function.text}, found {len(arguments)}",
            )
        if function.text == "int":
            if not is_condition(arguments[0]):
                raise PlacedError(
                    self.text, function.at, 'expected a condition within int, such as "int(v > V_th)", found a number'
                )
        elif any(map(is_condition, arguments)):
            raise PlacedError(self.text, function.at, f"expected numbers within {function.text}, found a condition")
        return Call(function.text, tuple(arguments), function.at)

    def _operation(self, token: Token, *operands: Tree) -> Tree:
        if token.text in ("and", "or", "not"):
            if not all(map(is_condition, operands)):
                raise PlacedError(self.text, token.at, f"expected conditions beside {token.text!r}, found a number")
        elif any(map(is_condition, operands)):
            raise PlacedError(
                self.text,
                token.at,
                f"expected numbers beside {token.text!r}, found a condition; int(…) makes 1 or 0 of one",
            )
        return Operation(token.text, operands, token.at)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise PlacedError(
                self.text,
                self.peek().at,
                f"expected at most {DEEPEST} parentheses, signs, powers and functions within each other, found more; "
                "give a part a name of its own",
            )


def is_condition(tree: Tree) -> bool:
    """Return whether the value of a tree is true or false."""
    return isinstance(tree, Operation) and (tree.operator in COMPARISONS or tree.operator in ("and", "or", "not"))


@lru_cache(maxsize=1 << 12)
def read_number(text: str) -> Tree:
    """Return the tree of an expression whose value is a number.

    Raises
    ------
    SpecError
        If the text is no such expression; with line and column.
    """
    return _read(text, wants_condition=False)


@lru_cache(maxsize=1 << 12)
def read_condition(text: str) -> Tree:
    """Return the tree of a condition, such as ``v > V_th``.

    Raises
    ------
    SpecError
        If the text is none; with line and column.
    """
    return _read(text, wants_condition=True)


def _read(text: str, wants_condition: bool) -> Tree:
    reader = Reader(text)
    tree = reader.expression(through_lines=True)
    reader.skip_lines("\n")
    if reader.peek().kind != "end":
        raise reader.refuse("an operator or the end")
    if is_condition(tree) != wants_condition:
        expected = 'a condition such as "v > V_th"' if wants_condition else "a number"
        raise SpecError(f"expected {expected}, found {printable(text.strip())[:200]!r}")
    return tree
