"""Sines and cosines of angles in degrees, in integers with a proven error."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

BITS = 192
ONE = 1 << BITS
"""What 1 is in fixed point."""
ERROR = 1 << 40
"""How far a sine or cosine is from the truth at most, in fixed point: less than 2^-150."""


class Direction(NamedTuple):
    """The cosine and the sine of an angle, in fixed point."""

    cosine: int
    sine: int


def direction(degrees: Fraction) -> Direction:
    """Of an angle in degrees, each within `ERROR` of the truth.

    The angle is reduced exactly, to at most 180 degrees, so that x = pi * degrees / 180 is below 4. Every term
    of the series is computed with a floor, and inherits a few units of error from the one before: all 80 together
    are below 2^20 units, and what is left out is below 4^80 / 80!, which is below 2^-230.
    """
    reduced = degrees % 360
    turned = reduced - 360 if reduced > 180 else reduced
    x = turned.numerator * _PI // (180 * turned.denominator)
    sums, term = [0, 0], ONE
    for power in range(80):
        sums[power % 2] += -term if power % 4 > 1 else term
        term = term * x // ((power + 1) * ONE)
    return Direction(sums[0], sums[1])


def _arctangent_of_inverse(number: int) -> int:
    """Of 1 / number, by Gregory's series, with 64 more bits than `BITS`."""
    total, power, divisor, sign = 0, (1 << (BITS + 64)) // number, 1, 1
    while power:
        total += sign * (power // divisor)
        power, divisor, sign = power // number**2, divisor + 2, -sign
    return total


_PI = (16 * _arctangent_of_inverse(5) - 4 * _arctangent_of_inverse(239)) >> 64
"""Machin 1706; a few units wrong at most."""
