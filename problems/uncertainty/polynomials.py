"""Polynomials with integer coefficients: where they change their sign for the last time, without rounding.

A polynomial is a tuple of integers, lowest power first, without zeros at the end and without a common factor: multiples
by a positive number are not told apart. The empty tuple is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import gcd
from typing import NamedTuple, TypeAlias

Polynomial: TypeAlias = tuple[int, ...]


class SignChanges(NamedTuple):
    """How often a polynomial changes its sign at positive numbers, and an upper bound of the last of these."""

    number: int
    last: Fraction


def polynomial(coefficients: Sequence[int]) -> Polynomial:
    """From coefficients, lowest power first."""
    end = len(coefficients)
    while end and coefficients[end - 1] == 0:
        end -= 1
    common = gcd(*coefficients[:end]) or 1
    return tuple(one // common for one in coefficients[:end])


def sign_changes(given: Polynomial, bits: int = 80) -> SignChanges:
    """The changes of sign at x > 0; the bound is at most a relative 2^-bits above the last, and 0 if there is none.

    A root of even multiplicity is no change of sign, and two roots next to each other are two changes: Sturm's theorem
    decides it (1829), and not a tolerance.

    Raises:
        ValueError: the polynomial is 0.
    """
    if not given:
        raise ValueError("the zero polynomial has no sign anywhere")
    odd = _odd_part(given[next(power for power, one in enumerate(given) if one) :])
    chain = _sturm_chain(odd)
    # No root is as large as 1 + max |a_i / a_n| (Cauchy 1829).
    low, high = Fraction(0), Fraction(2 << (max(map(abs, odd)) // abs(odd[-1])).bit_length())
    above = _variations(chain, high)
    count = _variations(chain, low) - above
    if count == 0:
        return SignChanges(0, Fraction(0))
    inside = count
    while inside > 1 or low == 0:  # until there is one root between the two, which are above 0
        middle = (low + high) / 2
        upper = _variations(chain, middle) - above
        if upper:
            low, inside = middle, upper
        else:
            high = middle
    end = 1 if odd[-1] > 0 else -1
    while (high - low) * 2**bits > low:  # a simple root, and no other above it: above it, the sign is the last one
        middle = (low + high) / 2
        if _sign(odd, middle) in (0, end):
            high = middle
        else:
            low = middle
    return SignChanges(count, high)


def _odd_part(given: Polynomial) -> Polynomial:
    """The product of all irreducible factors of odd multiplicity, each once (Musser 1971)."""
    rest = _gcd(given, _slope(given))
    left, product, odd = _quotient(given, rest), polynomial([1]), True
    while len(left) > 1:
        common = _gcd(left, rest)
        if odd:
            product = _product(product, _quotient(left, common))
        left, rest, odd = common, _quotient(rest, common), not odd
    return product if product[-1] * given[-1] > 0 else tuple(-one for one in product)


def _sturm_chain(given: Polynomial) -> list[Polynomial]:
    """Of a polynomial without multiple roots."""
    chain = [given, _slope(given)]
    while len(chain[-1]) > 1:
        chain.append(tuple(-one for one in _remainder(chain[-2], chain[-1])))
    return [one for one in chain if one]


def _variations(chain: list[Polynomial], x: Fraction) -> int:
    """How often the sign changes along the chain's values at x. From a to b it falls by the roots in (a, b]."""
    signs = [sign for sign in (_sign(one, x) for one in chain) if sign]
    return sum(a != b for a, b in pairwise(signs))


def _sign(given: Polynomial, x: Fraction) -> int:
    """Of the value at x, by Horner's rule on the value times a power of x's denominator."""
    value, scale = 0, 1
    for one in reversed(given):
        value = value * x.numerator + one * scale
        scale *= x.denominator
    return (value > 0) - (value < 0)


def _slope(given: Polynomial) -> Polynomial:
    return polynomial([power * one for power, one in enumerate(given)][1:])


def _product(one: Polynomial, other: Polynomial) -> Polynomial:
    total = [0] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            total[i + j] += a * b
    return polynomial(total)


def _gcd(one: Polynomial, other: Polynomial) -> Polynomial:
    while other:
        one, other = other, _remainder(one, other)
    return one


def _remainder(one: Polynomial, other: Polynomial) -> Polynomial:
    """Of a division, times a positive number."""
    rest, lead = list(one), other[-1]
    while len(rest) >= len(other):
        top, shift = rest[-1], len(rest) - len(other)
        if lead < 0:
            top = -top
        rest = [abs(lead) * value for value in rest]
        for power, value in enumerate(other):
            rest[shift + power] -= top * value
        rest.pop()
        while rest and rest[-1] == 0:
            rest.pop()
    return polynomial(rest)


def _quotient(one: Polynomial, other: Polynomial) -> Polynomial:
    """Of a division that leaves nothing; exact in integers, because neither has a common factor (Gauss)."""
    rest, found = list(one), [0] * (len(one) - len(other) + 1)
    for shift in range(len(found) - 1, -1, -1):
        found[shift] = rest[shift + len(other) - 1] // other[-1]
        for power, value in enumerate(other):
            rest[shift + power] -= found[shift] * value
    return polynomial(found)
