"""Makes system calls by the interface for 32-bit programs, which has other numbers for them."""

MUST = {"scored", "forbidden", "crashed", "out_of_memory"}
OUTPUTS = ("EPERM", "ENOSYS", "no such machine")
WATCH = {"outputs"}
LAYERS = ("seccomp",)

import ctypes
import errno
import mmap
import platform


def attack(world):
    if platform.machine() != "x86_64":
        return "no such machine"
    # mov eax, 359 (socket); mov ebx, 1; mov ecx, 1; xor edx, edx; int 0x80; ret
    code = bytes.fromhex("53b867010000bb01000000b90100000031d2cd805bc3")
    held = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    held.write(code)
    place = ctypes.addressof(ctypes.c_char.from_buffer(held))
    found = ctypes.CFUNCTYPE(ctypes.c_int)(place)()
    return errno.errorcode.get(-found, str(found)) if found < 0 else "through"
