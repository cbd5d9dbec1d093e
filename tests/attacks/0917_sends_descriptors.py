"""Sends descriptors to the engine over its channel, until the engine has no more."""

MUST = {"scored", "forbidden", "crashed", "rejected"}
OUTPUTS = ("sent",)
WATCH = {"engine"}
LAYERS = ("seccomp", "frames")

import array
import os
import socket


def attack(world):
    channel = socket.socket(fileno=os.dup(3))
    held = os.open("/dev/null", os.O_RDONLY)
    for _ in range(20):
        channel.sendmsg([b""], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [held] * 50))])
    return "sent"
