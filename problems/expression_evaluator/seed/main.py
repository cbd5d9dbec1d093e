"""The value of a text in the expression language."""

from lexer import tokens
from parser import parsed


def evaluate(text):
    """A whole number, or "error"."""
    try:
        return value(parsed(tokens(text)))
    except Exception:  # whatever is wrong with the text
        return "error"


def value(tree):
    """Of a parsed expression."""
    match tree:
        case ("number", number):
            return number
        case ("+", left, right):
            return value(left) + value(right)
        case ("-", left, right):
            return value(left) - value(right)
        case ("*", left, right):
            return value(left) * value(right)
    raise ValueError(f"unknown: {tree[0]}")
