"""What is left of an attack, told from what was there before."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from evoengine.selfcheck.watching import Watch, below
from evoengine.selfcheck.world import World

SLEEPS = [sys.executable, "-c", "import time; print('there', flush=True); time.sleep(60)"]


def started() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(SLEEPS, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def left(watch: Watch) -> list[str]:
    return [why for what, why in watch.changed() if what == "processes"]


def test_a_process_that_was_there_before_is_not_left_though_the_kernel_did_not_list_it_at_first(tmp_path: Path) -> None:
    world, before = World(tmp_path / "world"), started()
    try:
        time.sleep(0.05)  # the kernel counts in ticks
        watch = Watch(world)
        watch._processes -= {before.pid}  # as when another child ends while the list is read
        assert left(watch) == []
        after = started()
        assert after.pid in below(os.getpid())
        assert left(watch) == ["1 processes were left"]
        after.kill()
        after.communicate()
    finally:
        before.kill()
        before.communicate()
        world.close()
