"""Bytes of memory that the engine takes for a program of 2 KB in a campaign, all of which are elites.

    python benchmarks/memory.py PROGRAMS

Gives one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from evoengine.overhead import measured_campaign
from evoengine.stopping import Records


def resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(programs: int) -> dict[str, float]:
    """The growth from a campaign of a thousand records to one of so many more."""
    with tempfile.TemporaryDirectory() as place, measured_campaign(f"sqlite:///{place}/store.db") as campaign:
        campaign.run(stop=Records(1000))
        before = resident()
        campaign.run(stop=Records(1000 + programs))
        return {"programs": programs, "bytes_per_program": (resident() - before) / programs}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
