"""Runs set-uid programs, which are root whoever starts them."""

MUST = {"scored", "forbidden", "crashed", "out_of_processes"}
OUTPUTS = (False,)
WATCH = {"outputs"}
LIMITS = {"processes": 4}
LAYERS = ("no new privileges", "namespaces", "landlock")

import subprocess


def attack(world):
    # the loader shows who a program runs as when it is asked to, but for programs that gain privileges
    def shown(program):
        asked = {"LD_SHOW_AUXV": "1", "PATH": "/usr/bin"}
        told = subprocess.run([program, "--version"], capture_output=True, check=False, env=asked).stdout
        return b"AT_EUID" in told

    if not shown("/usr/bin/id"):
        return False
    gained = False
    for program in ("/usr/bin/su", "/usr/bin/mount", "/usr/bin/passwd"):
        try:
            gained = gained or not shown(program)
        except FileNotFoundError:
            continue
    return gained
