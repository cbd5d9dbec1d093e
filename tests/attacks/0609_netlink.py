"""Asks the kernel for the machine's network interfaces by netlink."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp",)

import socket
import struct


def attack(world):
    one = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    one.bind((0, 0))
    one.send(struct.pack("<IHHIIBxHiII", 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0))
    return len(one.recv(65536))
