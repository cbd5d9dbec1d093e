"""An honest candidate that imports a good part of the standard library."""

MUST = {"scored"}
OUTPUTS = (["2/3", 3, "2020-02-29", 10],)


def attack(world):
    import bisect
    import collections
    import dataclasses
    import datetime
    import decimal
    import fractions
    import functools
    import heapq
    import statistics
    import typing

    total = functools.reduce(lambda a, b: a + b, heapq.nsmallest(4, [5, 4, 3, 2, 1]))
    return [str(fractions.Fraction(4, 6)), bisect.bisect([1, 2, 3], 3), str(datetime.date(2020, 2, 29)), total]
