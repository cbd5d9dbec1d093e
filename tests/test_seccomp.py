"""The list of allowed system calls as a program: every number, run through a small machine for classic BPF."""

from __future__ import annotations

import importlib.util
import platform
import struct
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.paths import bundled

ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
X86_64 = 0xC000003E
OPENAT, SOCKET, CLONE, FCNTL, KILL, PTRACE, PRLIMIT64, BPF, CLONE3 = 257, 41, 56, 72, 62, 101, 302, 321, 435
X32 = 0x40000000
F_GETFL, F_SETOWN = 3, 8
CLONE_VM, CLONE_NEWUSER = 0x100, 0x10000000
PID = 4711


@pytest.fixture(scope="module")
def seccomp() -> ModuleType:
    spec = importlib.util.spec_from_file_location("seccomp_of_the_sandbox", bundled("sandbox") / "seccomp.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, "machine", lambda: "x86_64")
        spec.loader.exec_module(module)
    return module


def verdict(seccomp: ModuleType, number: int, *arguments: int, fork: bool = False, machine: int = X86_64) -> int:
    """What the filter of process `PID` says of a call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, "machine", lambda: "x86_64")
        made = seccomp.Filter(fork=fork, signal=False)
    program = bytearray(made.program)
    for place in made.places:
        struct.pack_into("<I", program, place, PID)
    call = struct.pack("<IIQ6Q", number, machine, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    steps = [struct.unpack_from("<HBBI", program, place) for place in range(0, len(program), 8)]
    held, at = 0, 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        match code:
            case 0x20:
                [held] = struct.unpack_from("<I", call, value)
            case 0x15:
                at += if_true if held == value else if_false
            case 0x35:
                at += if_true if held >= value else if_false
            case 0x45:
                at += if_true if held & value else if_false
            case 0x06:
                return int(value)
            case _:
                raise AssertionError(f"no such step: {code:#x}")


@pytest.mark.parametrize(
    ("said", "number", "arguments"),
    [
        (ALLOW, OPENAT, ()),
        (EPERM, SOCKET, ()),
        (EPERM, PTRACE, ()),
        (EPERM, BPF, ()),
        (EPERM, CLONE, (CLONE_VM,)),
        (ENOSYS, CLONE3, ()),
        (ALLOW, FCNTL, (0, F_GETFL)),
        (EPERM, FCNTL, (0, F_SETOWN)),
        (ALLOW, KILL, (PID,)),
        (EPERM, KILL, (PID + 1,)),
        (ALLOW, PRLIMIT64, (0,)),
        (EPERM, PRLIMIT64, (PID,)),
    ],
)
def test_calls_are_judged_by_number_and_argument(
    seccomp: ModuleType, said: int, number: int, arguments: tuple[int, ...]
) -> None:
    assert verdict(seccomp, number, *arguments) == said


def test_whoever_may_fork_may_still_have_no_namespaces(seccomp: ModuleType) -> None:
    assert verdict(seccomp, CLONE, CLONE_VM, fork=True) == ALLOW
    assert verdict(seccomp, CLONE, CLONE_VM | CLONE_NEWUSER, fork=True) == EPERM


@given(number=st.integers(X32, 2**32 - 1) | st.integers(500, X32 - 1), first=st.integers(0, 2**32 - 1))
def test_numbers_that_no_table_has_are_refused(seccomp: ModuleType, number: int, first: int) -> None:
    assert verdict(seccomp, number, first) == EPERM


@given(number=st.integers(0, 600), machine=st.integers(0, 2**32 - 1).filter(lambda one: one != X86_64))
def test_calls_of_another_machine_are_refused(seccomp: ModuleType, number: int, machine: int) -> None:
    assert verdict(seccomp, number, machine=machine) == EPERM


def test_what_is_allowed_at_all_is_what_the_lists_name(seccomp: ModuleType) -> None:
    named = {numbers[0] for numbers in seccomp._ALLOWED.values()}
    assert {number for number in range(600) if verdict(seccomp, number) == ALLOW} - named == {FCNTL, PRLIMIT64}
    assert all(verdict(seccomp, number) == ALLOW for number in named)
