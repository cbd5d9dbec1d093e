"""What a person reached by hand is shown beside what evolution reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import evoengine


@pytest.mark.slow
def test_a_run_ends_with_the_best_known_value_and_the_hand_written_floor(tmp_path: Path) -> None:
    done = evoengine("run", "circle_packing", "--evaluations", "5", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "best known   2.635983084918" in done.stdout
    assert "by hand      2.625658" in done.stdout
