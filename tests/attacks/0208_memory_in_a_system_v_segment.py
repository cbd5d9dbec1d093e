"""Fills a shared memory segment of System V, which outlives the process."""

MUST = {"forbidden", "crashed", "scored"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"leftovers", "outputs"}
LAYERS = ("seccomp", "namespaces")

import ctypes
import errno


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    segment = libc.shmget(0, ctypes.c_size_t(2**24), 0o1600)
    if segment < 0:
        return errno.errorcode[ctypes.get_errno()]
    place = libc.shmat(segment, None, 0)
    ctypes.memset(place, 1, 2**24)
    return "through"
