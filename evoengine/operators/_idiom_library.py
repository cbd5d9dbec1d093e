"""Templates that every problem gets: restarts, local search, a polish, order, a helper used again.

They measure by a function of the program, whose result may be a number or an array (then its sum counts). Whether more
or less of it is better nobody has said, so each comes in both directions.
"""

from __future__ import annotations

from evoengine.types import Idiom

_NUMPY = "import numpy as np"

_CLIMB = """\
_rng = np.random.default_rng({seed})
_here = np.array($points, dtype=float)
_low, _high = np.min(_here), np.max(_here)
_best = float(np.sum($measure(_here)))
_step = 0.1 * (_high - _low)
for _ in range({turns}):
    _trial = _here.copy()
    _moved = _rng.integers(len(_trial))
    _trial[_moved] = np.clip(_trial[_moved] + _step * _rng.standard_normal(np.shape(_trial[_moved])), _low, _high)
    _value = float(np.sum($measure(_trial)))
    if _value {better} _best:
        _here, _best = _trial, _value
        _step = _step * 1.2
    else:
        _step = _step * 0.99
$points = _here
"""

_POLISH = """\
_start = np.array($points, dtype=float)
_range = [(float(np.min(_start)), float(np.max(_start)))] * _start.size
_found = minimize(
    lambda flat: {sign}float(np.sum($measure(flat.reshape(_start.shape)))),
    _start.ravel(),
    method="{method}",
    bounds=_range,
    options={{"maxiter": {turns}}},
)
_polished = np.reshape(_found.x, _start.shape)
if float(np.sum($measure(_polished))) {better} float(np.sum($measure(_start))):
    $points = _polished
"""

_RESTARTS = """\
def $entry(*args):
    best, best_value = None, None
    for attempt in range({turns}):
        random.seed(attempt)
        np.random.seed(attempt)
        found = $inner(*args)
        value = float(np.sum($measure(found)))
        if best_value is None or value {better} best_value:
            best, best_value = found, value
    return best
"""

_MEMOISED = """\
$helper = functools.lru_cache(maxsize=None)($helper)


def $entry(*args):
    return $inner(*args)
"""

_MEASURED = {"points": "array", "measure": "function"}


def _both_ways() -> tuple[Idiom, ...]:
    made = []
    for word, better, sign in (("most", ">", "-"), ("least", "<", "")):
        made += [
            Idiom(
                name=f"climb_{word}",
                code=_CLIMB.format(seed=0, turns=200, better=better),
                holes=_MEASURED,
                imports=(_NUMPY,),
                source="a (1+1) evolution strategy with step sizes that adapt (Rechenberg 1973)",
            ),
            *(
                Idiom(
                    name=f"polish_{method.lower()}_{word}",
                    code=_POLISH.format(sign=sign, method=method, turns=turns, better=better),
                    holes=_MEASURED,
                    imports=(_NUMPY, "from scipy.optimize import minimize"),
                    source=source,
                )
                for method, turns, source in (
                    ("SLSQP", 30, "sequential least squares (Kraft 1988)"),
                    ("Powell", 3, "Powell 1964, doi:10.1093/comjnl/7.2.155"),
                )
            ),
            Idiom(
                name=f"restarts_{word}",
                code=_RESTARTS.format(turns=8, better=better),
                holes={"measure": "function"},
                where="wrap",
                imports=("import random", _NUMPY),
            ),
        ]
    return tuple(made)


LIBRARY: tuple[Idiom, ...] = (
    *_both_ways(),
    Idiom(
        name="sorted_by",
        code="$items = sorted($items, key=$key)",
        holes={"items": "array", "key": "function"},
    ),
    Idiom(name="largest_first", code="$items = sorted($items, reverse=True)", holes={"items": "array"}),
    Idiom(name="smallest_first", code="$items = sorted($items)", holes={"items": "array"}),
    Idiom(name="backwards", code="$items = $items[::-1]", holes={"items": "array"}),
    Idiom(name="once_more", code="$items = $pass_($items)", holes={"items": "array", "pass_": "function"}),
    Idiom(
        name="memoised",
        code=_MEMOISED,
        holes={"helper": "function"},
        where="wrap",
        imports=("import functools",),
    ),
)
"""The built-in templates."""
