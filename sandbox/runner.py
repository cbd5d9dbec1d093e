"""What runs in a candidate's process: loads its program, calls it, and sends plain data back.

Nothing here is a barrier: the candidate shares this process and may change any of it. The engine believes
only the form of what arrives, and measures limits from outside.

A frame, in both directions: two little-endian uint32 (bytes of header, bytes of tail), the header in JSON,
the tail of raw little-endian float64. To the child: `{"load": knobs, "program": {...} at first}`, answered with
`{"loaded": true}`; or `{"calls": [[argument, ...], ...], "entry": name, "plain": bool, "f8": [[call, place, n], ...]}`,
answered with one or more `{"answers": [...], "f8": [[place, n], ...]}`; a number listed under "f8" comes from
the tail, in order. Either may be answered with `{"failed": cause, "feedback": text}`, which is the last word.
"""

from __future__ import annotations

import errno
import importlib
import importlib.abc
import importlib.machinery
import json
import linecache
import math
import os
import random
import resource
import socket
import struct
import sys
import time
import traceback
from types import CodeType, GeneratorType, ModuleType
from typing import Any, ClassVar

import numpy as np

_LENGTHS = struct.Struct("<II")
_FEEDBACK_CHARS = 4096
_FLUSH_SECONDS = 0.02
_FLUSH_BYTES = 2**20
_LAZY = (GeneratorType, range, map, zip, filter)
_OUT_OF_MEMORY = 98
_F8 = np.dtype("<f8")
_REHEARSALS = 24
_REHEARSED = (
    (b'{"load":[0.5],"program":{"main.py":"import numpy\\ndef f(x):\\n    return x\\n"},"main":"main.py"}', b""),
    (b'{"calls":[[1.5]],"entry":"f","plain":false,"f8":[]}', b""),
    (b'{"calls":[[null]],"entry":"f","plain":false,"f8":[[0,0,2]]}', bytes(16)),
)
_LONG = 1e6
"""CPU seconds that nobody reaches."""
_NO_THREAD = ("can't start new thread",)
_CAUSES = {
    errno.EPERM: "forbidden",
    errno.EACCES: "forbidden",
    errno.EAGAIN: "out_of_processes",
    errno.EMFILE: "out_of_descriptors",
}

_now = time.monotonic


class NotData(Exception):
    """What the candidate returned cannot be sent as plain data."""


class Channel:
    """Frames over a descriptor."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._held = bytearray()

    def receive(self) -> tuple[dict[str, Any], bytearray]:
        """The next frame; ends the process when the engine has gone."""
        self._fill(_LENGTHS.size)
        header, tail = _LENGTHS.unpack_from(self._held)
        start, end = _LENGTHS.size + header, _LENGTHS.size + header + tail
        self._fill(end)
        frame = _decode(self._held[_LENGTHS.size : start].decode())[0], self._held[start:end]
        del self._held[:end]
        return frame

    def send(self, header: bytes, tail: bytes = b"") -> None:
        """Writes a frame, however long that takes."""
        left = memoryview(_LENGTHS.pack(len(header), len(tail)) + header + tail)
        while left:
            left = left[os.write(self._fd, left) :]

    def _fill(self, size: int) -> None:
        while len(self._held) < size:
            data = os.read(self._fd, 262144)
            if not data:
                os._exit(0)
            self._held += data


class ProgramFiles(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the program's modules from memory, compiled once."""

    def __init__(self, files: dict[str, str], main: str) -> None:
        self.paths = frozenset(files)
        self.knobs: list[float] = []
        self._codes: dict[str, tuple[str, CodeType]] = {}
        self._packages: set[str] = set()
        for path, text in sorted(files.items(), key=lambda item: item[0] != main):
            if path.endswith(".py"):
                self._add(path, text)
        self.main = _module_name(main)

    def _add(self, path: str, text: str) -> None:
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
        name = _module_name(path)
        self._codes[name] = (path, compile(text, path, "exec", dont_inherit=True))
        if path.endswith("__init__.py"):
            self._packages.add(name)
        while "." in name:
            name = name.rpartition(".")[0]
            self._packages.add(name)

    def fresh(self, knobs: list[float]) -> ModuleType:
        """The main module, run anew along with all that it imports from the program."""
        self.knobs = knobs
        for name in (*self._codes, *self._packages):
            sys.modules.pop(name, None)
        if "." in self.main or self.main in self._packages:
            return importlib.import_module(self.main)
        # as an import would, without its machinery, which costs more than most programs
        sys.modules[self.main] = module = ModuleType(self.main)
        try:
            self.exec_module(module)
        except BaseException:
            sys.modules.pop(self.main, None)
            raise
        return sys.modules[self.main]

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:  # noqa: ARG002
        if fullname not in self._codes and fullname not in self._packages:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname in self._packages)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:  # noqa: ARG002
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["_knobs_"] = list(self.knobs)
        if module.__name__ in self._codes:
            path, code = self._codes[module.__name__]
            module.__file__ = path
            exec(code, module.__dict__)


class Runner:
    """Answers the engine's requests with the candidate's program."""

    def __init__(self, channel: Channel, cpu_seconds: float, output_bytes: int, seed: int) -> None:
        self._channel = channel
        self._cpu_seconds = cpu_seconds
        self._output_bytes = output_bytes
        self._files: ProgramFiles | None = None
        self._main: ModuleType | None = None
        self._seed = seed
        self._encode = _encode

    def serve(self) -> None:
        """Answers requests until the process is killed, or the candidate fails."""
        while True:
            self.answer()

    def answer(self) -> None:
        """Answers the next request."""
        header, tail = self._channel.receive()
        self._bound_cpu(len(header.get("calls", "_")))
        try:
            if "load" in header:
                self._load(header)
                self._flush()
                self._channel.send(b'{"loaded":true}')
            else:
                self._call(header, tail)
        except NotData as error:
            self._fail("rejected", str(error))
        except MemoryError as error:
            self._ran_out(error)
        except BaseException as error:  # foreign code: a fact about the candidate, SystemExit included
            self._fail(_cause(error), self._told(error))

    def forget(self) -> None:
        """Undoes a load."""
        if self._files is not None:
            sys.meta_path.remove(self._files)
            sys.modules.pop("main", None)
            linecache.cache.clear()

    def _load(self, header: dict[str, Any]) -> None:
        if "program" in header:
            self._files = ProgramFiles(header["program"], header["main"])
            sys.meta_path.insert(0, self._files)
        else:  # the first time it is the state that was inherited
            reseed(self._seed)
        assert self._files is not None
        self._main = self._files.fresh(header["load"])

    def _call(self, header: dict[str, Any], tail: bytearray) -> None:
        calls, plain = header["calls"], header["plain"]
        numbers, offset = np.frombuffer(tail, dtype="<f8"), 0
        for call, place, size in header["f8"]:
            calls[call][place] = numbers[offset : offset + size].copy()
            offset += size
        entry = self._entry(header["entry"])
        texts: list[str] = []
        arrays: list[list[int]] = []
        tails: list[bytes] = []
        size, since = 0, _now()
        for left in range(len(calls) - 1, -1, -1):
            answer = entry(*calls[len(calls) - 1 - left])
            if not plain and isinstance(answer, np.ndarray) and answer.ndim == 1 and answer.dtype.kind in "fiu":
                tails.append((answer if answer.dtype == _F8 else answer.astype(_F8)).tobytes())
                arrays.append([len(texts), len(answer)])
                texts.append("null")
                grown = len(tails[-1])
            else:
                texts.append(self._text(answer))
                grown = len(texts[-1])
            if grown > self._output_bytes:
                self._fail("flooded", f"an answer of {grown / 2**20:.1f} MiB is over the limit")
                os._exit(0)
            size += grown
            if left == 0 or size > _FLUSH_BYTES or _now() - since > _FLUSH_SECONDS:
                self._flush()
                head = f'{{"answers":[{",".join(texts)}],"f8":{self._encode(arrays)}}}'
                self._channel.send(head.encode(), b"".join(tails))
                texts, arrays, tails = [], [], []
                size, since = 0, _now()

    def _entry(self, name: str) -> Any:
        entry = getattr(self._main, name, None)
        if not callable(entry):
            raise AttributeError(f"the program defines no function {name!r}")
        return entry

    def _text(self, answer: Any) -> str:
        try:
            return self._encode(answer)
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            raise NotData(f"the answer is not plain data: {error}") from None

    def _bound_cpu(self, calls: int) -> None:
        # The engine measures CPU time itself; this one only holds when the engine cannot.
        used = resource.getrusage(resource.RUSAGE_SELF)
        bound = math.ceil(used.ru_utime + used.ru_stime + self._cpu_seconds * max(calls, 1)) + 5
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (bound if hard < 0 else min(bound, hard), hard))

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # the candidate may have put anything there
                continue

    def _told(self, error: BaseException) -> str:
        """The traceback from the candidate's first own line on; its last part when it is long."""
        frames, paths = error.__traceback__, self._files.paths if self._files else ()
        first = frames
        while first is not None and first.tb_frame.f_code.co_filename not in paths:
            first = first.tb_next
        try:
            told = "".join(traceback.format_exception(type(error), error, first))
        except BaseException:  # a hostile __str__, or no memory left to format with
            told = type(error).__name__
        return told.encode("utf-8", "backslashreplace").decode()[-_FEEDBACK_CHARS:]

    def _ran_out(self, error: MemoryError) -> None:
        try:
            self._fail("out_of_memory", self._told(error))
        except MemoryError:  # not even enough to say so
            os._exit(_OUT_OF_MEMORY)

    def _fail(self, cause: str, feedback: str) -> None:
        self._flush()
        self._channel.send(self._encode({"failed": cause, "feedback": feedback}).encode())


def _cause(error: BaseException) -> str:
    """What kind of limit or wall an exception tells of, if it is one."""
    if isinstance(error, OSError):
        return _CAUSES.get(error.errno or 0, "crashed")
    return "out_of_processes" if isinstance(error, RuntimeError) and error.args == _NO_THREAD else "crashed"


def _plain(value: Any) -> Any:
    """What json cannot write itself: numpy's arrays and scalars, and lazy sequences."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        item = value.item()
        if type(item) is not type(value):
            return item
    if isinstance(value, _LAZY):
        return list(value)
    raise NotData(f"the answer holds a {type(value).__name__}, which is not plain data")


_decode = json.JSONDecoder().raw_decode
_encode = json.JSONEncoder(allow_nan=False, default=_plain, separators=(",", ":")).encode


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


_Original = random.Random


class _Random(random.Random):
    """`random.Random()` without a seed draws one from the job's seed, not from the machine."""

    entropy: ClassVar[random.Random]

    def seed(self, a: Any = None, version: int = 2) -> None:
        super().seed(_Random.entropy.getrandbits(128) if a is None else a, version)


def reseed(seed: int) -> None:
    """Starts every random state anew, those included that would be drawn from the machine."""
    _Random.entropy = _Original(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    # `default_rng()` without a seed asks this function for one.
    np.random.bit_generator.randbits = _Random.entropy.getrandbits  # type: ignore[attr-defined]


def serve(fd: int, limits: dict[str, Any], seed: int) -> None:
    """Serves one candidate over the channel `fd`, with the random state of that seed; says "ready" first."""
    channel = Channel(fd)
    channel.send(b'{"ready":true}')
    Runner(channel, limits["cpu_seconds"], int(limits["output_mib"] * 2**20), seed).serve()


def warm() -> None:
    """Rehearses what every child does, so that the interpreter has adapted itself to it.

    A child then writes to fewer of the pages that it shares with this process; each would have to be copied.
    """
    reseed(0)
    random.Random = _Random  # type: ignore[misc]
    traceback.format_exception(ValueError("warm"))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        engine, runner = Channel(ours.fileno()), Runner(Channel(theirs.fileno()), _LONG, 2**20, 0)
        for _ in range(_REHEARSALS):
            for header, tail in _REHEARSED:
                engine.send(header, tail)
                runner.answer()
                engine.receive()
            runner.forget()
