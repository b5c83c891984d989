"""Taking rights away from the own process, for good. Linux; elsewhere only the resource limits hold.

Each wall stands alone, because containers and kernels differ in what they allow:

- `limits`: memory, CPU time, open files, no core dump, no file written (`setrlimit`).
- `parent`: the process dies with its parent thread (`PR_SET_PDEATHSIG`).
- `namespace`: an empty network namespace; needs root or unprivileged user namespaces.
- `files`: only Python, its packages and fonts can be read (Landlock, Linux 5.13).
- `calls`: no socket, no new program or process, no tracing (seccomp filter; x86-64 and ARM 64).

Network is out of reach if `namespace` or `calls` stands; `client.standing_walls()` tells which do.
"""

from __future__ import annotations

import ctypes
import mimetypes
import os
import resource
import signal
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Final

PARENT: Final = "parent"
LIMITS: Final = "limits"
NAMESPACE: Final = "namespace"
FILES: Final = "files"
CALLS: Final = "calls"

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION: Final = 1
_SYSTEM_PATHS: Final = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"),
    *("/etc/fonts", "/usr/share/fonts", "/usr/share/zoneinfo", "/dev/null", "/dev/urandom"),
)
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_RIGHTS_BY_VERSION: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
_NET_RIGHTS: Final = 0b11

_AUDIT_ARCHITECTURE: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Numbers of the calls that fail, on x86-64 and on ARM 64; None where the call does not exist.
_FORBIDDEN: Final[dict[str, tuple[int | None, int | None]]] = {
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "sendto": (44, 206),
    "bind": (49, 200),
    "listen": (50, 201),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "mount": (165, 40),
    "setns": (308, 268),
    "unshare": (272, 97),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "pidfd_getfd": (438, 438),
    "kill": (62, 129),
    "tkill": (200, 130),
}
_MACHINES: Final = ("x86_64", "aarch64")
_CLONE: Final = {"x86_64": 56, "aarch64": 220}
_CLONE3: Final = 435
_CLONE_THREAD: Final = 0x00010000
_X32_BIT: Final = 0x40000000
_EPERM, _ENOSYS = 1, 38

_LOAD_WORD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def raise_walls(*, memory_bytes: int, cpu_seconds: int, parent: int) -> frozenset[str]:
    """Raise every wall this system allows and tell which stand. Call before other threads exist.

    Raises:
        SystemExit: the parent is gone already.
    """
    standing = {LIMITS}
    _limit_resources(memory_bytes=memory_bytes, cpu_seconds=cpu_seconds)
    if sys.platform != "linux":
        return frozenset(standing)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0:
        standing.add(PARENT)
    if os.getppid() != parent:
        raise SystemExit(1)
    if libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        standing.add(NAMESPACE)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        if _fence_files(libc, _readable_folders()):
            standing.add(FILES)
        if _filter_calls(libc):
            standing.add(CALLS)
    return frozenset(standing)


def _limit_resources(*, memory_bytes: int, cpu_seconds: int) -> None:
    for name, value, spare in (
        (resource.RLIMIT_AS, memory_bytes, 0),
        (resource.RLIMIT_CPU, cpu_seconds, 5),  # the soft limit tells by its signal what happened
        (resource.RLIMIT_NOFILE, 64, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
    ):
        _, hard = resource.getrlimit(name)
        most = value + spare if hard == resource.RLIM_INFINITY else min(value + spare, hard)
        resource.setrlimit(name, (min(value, most), most))


def _readable_folders() -> Iterable[Path]:
    """Python with its packages, our code, shared libraries and fonts; no data of anybody."""
    apps = Path(__file__).resolve().parents[2]
    packages = {Path(entry) for entry in sys.path if entry} - {apps.parent}
    python = {Path(sys.prefix), Path(sys.base_prefix) / "lib", Path(sysconfig.get_path("stdlib"))}
    system = {
        Path(name) for name in (*_SYSTEM_PATHS, *mimetypes.knownfiles)
    }  # the latter are read by openpyxl
    return sorted(path for path in {apps, *packages, *python, *system} if path.exists())


def _fence_files(libc: ctypes.CDLL, readable: Iterable[Path]) -> bool:
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_LANDLOCK_VERSION))
    if version < 1:
        return False
    rights = _RIGHTS_BY_VERSION[min(version, 3)]
    attributes = struct.pack("QQ", rights, _NET_RIGHTS) if version >= 4 else struct.pack("Q", rights)
    rules = libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if rules < 0:
        return False
    try:
        for path in readable:
            _allow_reading(libc, rules, path)
        return bool(libc.syscall(_LANDLOCK_RESTRICT, rules, ctypes.c_uint32(0)) == 0)
    finally:
        os.close(rules)


def _allow_reading(libc: ctypes.CDLL, rules: int, path: Path) -> None:
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = _READ_FILE | _READ_FOLDER if path.is_dir() else _READ_FILE
        rule = struct.pack("=Qi", rights, folder)
        libc.syscall(_LANDLOCK_ADD, rules, ctypes.c_int(1), rule, ctypes.c_uint32(0))
    finally:
        os.close(folder)


def _filter_calls(libc: ctypes.CDLL) -> bool:
    machine = os.uname().machine
    if machine not in _MACHINES:
        return False
    code = b"".join(_instructions(machine))
    program = _Program(len(code) // 8, code)
    return bool(libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0) == 0)


def _instructions(machine: str) -> Iterable[bytes]:
    """The filter: foreign architectures die, forbidden calls fail, threads may start, processes may not."""
    number, architecture, first_argument = 0, 4, 16
    yield _step(_LOAD_WORD, architecture)
    yield _step(_JUMP_EQUAL, _AUDIT_ARCHITECTURE[machine], 1, 0)
    yield _step(_RETURN, _KILL)
    yield _step(_LOAD_WORD, number)
    yield _step(_JUMP_AT_LEAST, _X32_BIT, 0, 1)
    yield _step(_RETURN, _KILL)
    for numbers in _FORBIDDEN.values():
        call = numbers[_MACHINES.index(machine)]
        if call is not None:
            yield _step(_JUMP_EQUAL, call, 0, 1)
            yield _step(_RETURN, _REFUSE | _EPERM)
    yield _step(_JUMP_EQUAL, _CLONE3, 0, 1)
    yield _step(_RETURN, _REFUSE | _ENOSYS)  # the C library then asks with the call whose flags can be read
    yield _step(_JUMP_EQUAL, _CLONE[machine], 0, 3)
    yield _step(_LOAD_WORD, first_argument)
    yield _step(_JUMP_ANY, _CLONE_THREAD, 1, 0)
    yield _step(_RETURN, _REFUSE | _EPERM)
    yield _step(_RETURN, _ALLOW)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)
