"""What macOS offers to hold a candidate with: a profile of Seatbelt around the warm process and its children.

Written from documentation and from published profiles, and never run on a Mac. `sandbox-exec` is marked as deprecated
since 2017 and works to this day; Apple documents neither it nor the language of profiles.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from evoengine.errors import SandboxError

SANDBOX_EXEC = "/usr/bin/sandbox-exec"

_SYSTEM = ("/usr/lib", "/System/Library", "/System/Volumes/Preboot/Cryptexes", "/private/var/db/dyld")
"""Where programs load the system's own libraries from."""


def command(interpreter: Sequence[str], readable: Sequence[str]) -> list[str]:
    """The command line that starts an interpreter behind the profile.

    Raises:
        SandboxError: this machine has no `sandbox-exec`.
    """
    if not os.access(SANDBOX_EXEC, os.X_OK):
        raise SandboxError(f"{SANDBOX_EXEC} is not there, which holds candidates on macOS")
    return [SANDBOX_EXEC, "-p", profile(readable, interpreter[0]), *interpreter]


def profile(readable: Sequence[str], interpreter: str) -> str:
    """All is denied but reading below some folders, running the interpreter, and forking.

    Forking is the warm process's, and Seatbelt has no profile for a child alone: a limit on processes takes it from
    candidates. Signals reach no process outside; inside there is only the warm process, which may be started anew.
    """
    folders = [*dict.fromkeys(os.path.realpath(path) for path in readable), *_SYSTEM]
    programs = dict.fromkeys([interpreter, os.path.realpath(interpreter), os.path.realpath(sys.executable)])
    return "\n".join(
        [
            "(version 1)",
            "(deny default)",
            "(allow process-fork)",
            *(f"(allow process-exec (literal {_quoted(path)}))" for path in programs),
            "(allow signal (target same-sandbox))",
            "(allow sysctl-read)",
            "(allow file-read-metadata)",
            '(allow file-read* (literal "/") (literal "/dev/null") (literal "/dev/urandom"))',
            *(f"(allow file-read* (subpath {_quoted(path)}))" for path in folders),
            *(f"(allow file-read* (literal {_quoted(path)}))" for path in programs),
            '(allow file-write-data (literal "/dev/null"))',
        ]
    )


def _quoted(path: str) -> str:
    if not path.isprintable():
        raise SandboxError(f"a path with control characters cannot be put into a profile: {path!r}")
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
