"""What a child of the warm process does not have to pay: each saving taken out, its children copy more pages."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from evoengine.paths import bundled
from evoengine.sandboxes import _forkserver
from evoengine.sandboxes.none import Unconfined
from evoengine.testing import job_of

FAULTS = "import resource\ndef f():\n    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
SAVINGS = {
    "memory without gaps": ("zygote.py", "self._ballast = _holes_filled()", "pass"),
    "rehearsed": ("runner.py", "range(_REHEARSALS)", "range(0)"),
    "random state inherited": ("runner.py", "else:  # the first time it is the state that was inherited", "if True:"),
}


def faults() -> int:
    """Pages that a child has had to ask the kernel for when its program is called; the least of some children."""
    sandbox = Unconfined()
    try:
        found = [asyncio.run(sandbox.run(job_of(FAULTS, ()))).outputs[0] for _ in range(5)]
    finally:
        sandbox.shutdown()
    assert all(type(count) is int for count in found)
    return min(found)  # type: ignore[type-var, return-value]


@pytest.mark.parametrize("saving", SAVINGS)
def test_a_saving_taken_out_makes_a_child_touch_more_pages(
    saving: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = faults()
    file, kept, instead = SAVINGS[saving]
    changed = tmp_path / "sandbox"
    shutil.copytree(bundled("sandbox"), changed)
    text = (changed / file).read_text()
    assert text.count(kept) == 1
    (changed / file).write_text(text.replace(kept, instead))
    monkeypatch.setattr(_forkserver, "bundled", lambda _: changed)
    assert faults() > before
