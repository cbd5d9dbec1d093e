"""Asks for a web page, as a program with a backdoor would."""

MUST = {"forbidden", "crashed"}
WATCH = {"listeners"}
LIMITS = {"memory_mib": 256}
LAYERS = ("namespaces", "landlock", "seccomp")

import urllib.request


def attack(world):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{world['ports']['tcp']}/", timeout=0.5) as page:
        return page.read().decode()
