"""How a person calls this command line."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from shlex import quote


def invocation() -> str:
    """What a shell in this folder takes for the command that is running, quoted.

    `evoengine` where the shell finds this one under that name, else what it was called by: `make demo` runs
    `.venv/bin/evoengine`, and whoever copies the next command from its output has that environment not activated.
    """
    called, found = Path(sys.argv[0]), shutil.which("evoengine")
    if called.name == "evoengine" and called.is_file():
        return "evoengine" if found is not None and Path(found).samefile(called) else quote(sys.argv[0])
    if found is not None and Path(found).parent == Path(sys.executable).parent:
        return "evoengine"
    return f"{quote(sys.executable)} -m evoengine"
