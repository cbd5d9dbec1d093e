"""Asks for the address of a name, which carries data out through somebody else's name server."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ([],)
WATCH = {"outputs"}
LAYERS = ("seccomp", "namespaces")

import socket


def attack(world):
    try:
        return [str(one[4][0]) for one in socket.getaddrinfo("localhost", 80)]
    except socket.gaierror:
        return []
