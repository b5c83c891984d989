"""Start child processes that never outlive the process that started them."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

_NOBODY = 65534
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)


def spawn(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    directory: Path,
    log: IO[bytes] | int,
    death_signal: signal.Signals,
    keep_descriptors: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own; it gets `death_signal` when this one ends, however it does.

    Call it from the main thread only: the kernel ties the signal to the *thread* that forked.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        _libc.prctl(_SET_PARENT_DEATH_SIGNAL, int(death_signal))
        if os.getppid() != parent:  # it ended between fork and prctl
            os.kill(os.getpid(), signal.SIGKILL)

    return subprocess.Popen(
        [str(part) for part in command],
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - the supervisor has one thread
        pass_fds=tuple(keep_descriptors),
    )


@cache
def has_user_namespaces() -> bool:
    """Whether root may map itself to an ordinary user (many container runtimes refuse it)."""
    probe = ["unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--", "true"]
    try:
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def runs_as_root() -> bool:
    return os.geteuid() == 0


def unprivileged_prefix(*, death_signal: signal.Signals | None = None) -> list[str]:
    """Words to put before a program that refuses to run as root (PostgreSQL); none for a normal user.

    As root, a user namespace shows the program another user while its files stay root's, so nothing is
    chowned and a private home stays private. Where namespaces are refused it really becomes nobody (see
    `give_away`). The death signal is set after the credential change, because that change clears it.
    """
    if not runs_as_root():
        return []
    on_death = ["--pdeathsig", death_signal.name.removeprefix("SIG")] if death_signal else []
    if has_user_namespaces():
        mapped = ["unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--"]
        return [*mapped, "setpriv", *on_death] if on_death else mapped
    return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", *on_death]


def give_away(directory: Path) -> None:
    """Hand `directory` to nobody where PostgreSQL has to become nobody; elsewhere nothing changes hands.

    The parent is opened for passing through only; its other contents stay closed.
    """
    if runs_as_root() and not has_user_namespaces():
        directory.parent.chmod(directory.parent.stat().st_mode | 0o011)
        os.chown(directory, _NOBODY, _NOBODY)
