"""From tokens to a tree: recursive descent."""


def parsed(tokens):
    """The tree of all tokens."""
    tree, rest = total(tokens)
    if rest:
        raise ValueError(f"unexpected: {rest[0]}")
    return tree


def total(tokens):
    """Products that are added or subtracted."""
    tree, rest = product(tokens)
    while rest and rest[0] in ("+", "-"):
        right, after = product(rest[1:])
        tree, rest = (rest[0], tree, right), after
    return tree, rest


def product(tokens):
    """Single values that are multiplied."""
    tree, rest = single(tokens)
    while rest and rest[0] == "*":
        right, after = single(rest[1:])
        tree, rest = ("*", tree, right), after
    return tree, rest


def single(tokens):
    """A number, or an expression in parentheses."""
    if tokens[0] == "(":
        tree, rest = total(tokens[1:])
        if rest[0] != ")":
            raise ValueError("a parenthesis is left open")
        return tree, rest[1:]
    if not isinstance(tokens[0], int):
        raise ValueError(f"unexpected: {tokens[0]}")
    return ("number", tokens[0]), tokens[1:]
