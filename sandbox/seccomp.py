"""Which system calls a candidate may make: a list of what is allowed; all else fails with EPERM.

A filter is a classic BPF program over (number, architecture, instruction pointer, arguments). Arguments are
compared in their low 32 bits, which is all that the kernel looks at in those that are compared here.
"""

from __future__ import annotations

import platform
import struct

_X86_64, _AARCH64 = "x86_64", "aarch64"
_ARCHITECTURE = {_X86_64: 0xC000003E, _AARCH64: 0xC00000B7}

# System call numbers on x86-64 and aarch64; None where it does not exist.
_ALLOWED: dict[str, tuple[int, int | None]] = {
    "read": (0, 63), "write": (1, 64), "mmap": (9, 222), "munmap": (11, 215), "brk": (12, 214), "futex": (202, 98),
    "madvise": (28, 233), "mprotect": (10, 226), "mremap": (25, 216), "close": (3, 57), "openat": (257, 56),
    "fstat": (5, 80), "newfstatat": (262, 79), "statx": (332, 291), "lseek": (8, 62), "pread64": (17, 67),
    "pwrite64": (18, 68), "readv": (19, 65), "writev": (20, 66), "preadv": (295, 69), "poll": (7, None),
    "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72), "access": (21, None), "faccessat": (269, 48),
    "faccessat2": (439, 439), "readlink": (89, None), "readlinkat": (267, 78), "getdents64": (217, 61),
    "getcwd": (79, 17), "statfs": (137, 43), "fstatfs": (138, 44), "fadvise64": (221, 223), "dup": (32, 23),
    "dup2": (33, None), "dup3": (292, 24), "pipe": (22, None), "pipe2": (293, 59), "close_range": (436, 436),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "sigaltstack": (131, 132),
    "restart_syscall": (219, 128), "pause": (34, None), "alarm": (37, None), "getitimer": (36, 102),
    "setitimer": (38, 103), "nanosleep": (35, 101), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "getpid": (39, 172), "getppid": (110, 173),
    "gettid": (186, 178), "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177),
    "getpgrp": (111, None), "getpgid": (121, 155), "getsid": (124, 156), "getrusage": (98, 165),
    "getrlimit": (97, 163), "uname": (63, 160), "sysinfo": (99, 179), "getrandom": (318, 278), "msync": (26, 227),
    "set_tid_address": (218, 96), "set_robust_list": (273, 99), "rseq": (334, 293), "exit": (60, 93),
    "exit_group": (231, 94),
}  # fmt: skip
# For those who may have threads and processes.
_ALLOWED_TO_FORK: dict[str, tuple[int, int | None]] = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "wait4": (61, 260), "waitid": (247, 95),
    "arch_prctl": (158, None),
}  # fmt: skip
# For those who may have files in a folder of their own. They live in namespaces, where there is no file, network or
# socket of anybody else; a pair of sockets is what event loops wake themselves with.
_ALLOWED_WITH_FILES: dict[str, tuple[int, int | None]] = {
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "ftruncate": (77, 46), "truncate": (76, 45),
    "fallocate": (285, 47), "fsync": (74, 82), "fdatasync": (75, 83), "flock": (73, 32), "chdir": (80, 49),
    "fchdir": (81, 50), "umask": (95, 166), "link": (86, None), "linkat": (265, 37), "symlink": (88, None),
    "symlinkat": (266, 36), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "utimensat": (280, 88),
    "sendfile": (40, 71), "copy_file_range": (326, 285), "setsid": (112, 157), "setpgid": (109, 154),
    "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_wait": (232, None), "epoll_pwait": (281, 22),
    "sendto": (44, 206), "recvfrom": (45, 207), "shutdown": (48, 210),
}  # fmt: skip
# Attributes of files, which are said not to be there: copying a file goes on then, and breaks off at EPERM.
_UNSUPPORTED = ((188, 5), (189, 6), (190, 7), (191, 8), (192, 9), (193, 10), (194, 11), (195, 12), (196, 13))
_PAIR: tuple[int, int | None] = (53, 199)
_UNIX, _FIONBIO = 1, 0x5421
_KILL: tuple[int, int | None] = (62, 129)
_CLONE: tuple[int, int | None] = (56, 220)
_CLONE3 = (435, 435)

_NEW_NAMESPACES = 0x7E020080
# By system call: which argument must be one of which values.
_CHECKED: dict[str, tuple[tuple[int, int | None], int, tuple[int, ...]]] = {
    # duplicates and flags only: F_SETOWN and F_SETSIG would let the kernel send signals to anybody
    "fcntl": ((72, 25), 1, (0, 1, 2, 3, 4, 1030)),
    # is it a terminal, close on exec, how much is there to read
    "ioctl": ((16, 29), 1, (0x5401, 0x5451, 0x5450, 0x541B)),
    # the limits of this process itself
    "prlimit64": ((302, 261), 0, (0,)),
    # a thread's name
    "prctl": ((157, 167), 0, (15, 16)),
}

_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
_ENOTSUP = 0x0005005F
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_MARK = 0x7FEEDBAC
"""Stands for the process's own id until that is known."""


class Filter:
    """A filter that is made once; only the process's own id is filled in for each child.

    Args:
        fork: whether threads and processes may be made.
        signal: whether other processes may be sent signals, as far as the kernel lets them.
        files: whether files may be written, as far as the file tree and Landlock let them.

    Raises:
        OSError: there is no table of system calls for this machine.
    """

    def __init__(self, *, fork: bool, signal: bool, files: bool = False) -> None:
        machine = platform.machine()
        if machine not in _ARCHITECTURE:
            raise OSError(f"no table of system calls for {machine}")
        self._place = 0 if machine == _X86_64 else 1
        plain = dict(_ALLOWED)
        ends = {self._number(numbers): _one_of(argument, values) for numbers, argument, values in _CHECKED.values()}
        ends[self._number((234, 131))] = _one_of(0, (_MARK,))  # tgkill, for abort()
        ends[self._number(_KILL)] = _one_of(0, (_MARK,))
        # its flags lie in memory, where no filter can look: whoever tries it falls back to clone
        ends[self._number(_CLONE3)] = [_step(_RETURN, _ENOSYS)]
        if signal:
            plain["kill"] = _KILL
        if files:
            plain |= _ALLOWED_WITH_FILES
            ends[self._number(_PAIR)] = _one_of(0, (_UNIX,))
            ends |= {numbers[self._place]: [_step(_RETURN, _ENOTSUP)] for numbers in _UNSUPPORTED}
            numbers, argument, values = _CHECKED["ioctl"]
            ends[self._number(numbers)] = _one_of(argument, (*values, _FIONBIO))
        if fork:
            plain |= _ALLOWED_TO_FORK
            ends[self._number(_CLONE)] = [
                _step(_LOAD, _FIRST_ARGUMENT),
                _step(_JUMP_ANY, _NEW_NAMESPACES, 0, 1),
                _step(_RETURN, _EPERM),
                _step(_RETURN, _ALLOW),
            ]
        ends |= {number: [_step(_RETURN, _ALLOW)] for it in plain.values() if (number := it[self._place]) is not None}
        program = [_step(_LOAD, _ARCH), _step(_JUMP_EQUAL, _ARCHITECTURE[machine], 1, 0), _step(_RETURN, _EPERM)]
        program += [_step(_LOAD, _NUMBER), *_search(_ranges(ends))]
        self.program = b"".join(program)
        """Instructions, 8 bytes each."""
        marked = struct.pack("<I", _MARK)
        self.places = [at for at in range(4, len(self.program), 8) if self.program[at : at + 4] == marked]
        """Where the process's own id belongs, as offsets."""

    def _number(self, numbers: tuple[int, int | None]) -> int:
        number = numbers[self._place]
        assert number is not None
        return number


def _one_of(argument: int, values: tuple[int, ...]) -> list[bytes]:
    """Allows a system call when an argument has one of these values, and refuses it otherwise."""
    count = len(values)
    return [
        _step(_LOAD, _FIRST_ARGUMENT + 8 * argument),
        *[_step(_JUMP_EQUAL, value, count - at, 0) for at, value in enumerate(values)],
        _step(_RETURN, _EPERM),
        _step(_RETURN, _ALLOW),
    ]


def _ranges(ends: dict[int, list[bytes]]) -> list[tuple[int, list[bytes]]]:
    """What is to be done with every number: from which on, and what; all that are not named are refused."""
    refused = [_step(_RETURN, _EPERM)]
    found = [(0, refused)]
    for number in sorted(ends.keys() | {number + 1 for number in ends}):
        end = ends.get(number, refused)
        if end != found[-1][1]:
            found.append((number, end))
    return found


def _search(ranges: list[tuple[int, list[bytes]]]) -> list[bytes]:
    """Looks by halves which range the loaded number is in.

    The kernel walks through a filter once for every system call there is when it is installed, so that what a
    child pays for a long row of comparisons is a multiple of what these cost.
    """
    if len(ranges) == 1:
        return ranges[0][1]
    half = len(ranges) // 2
    low, high = _search(ranges[:half]), _search(ranges[half:])
    return [_step(_JUMP_AT_LEAST, ranges[half][0], len(low), 0), *low, *high]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
