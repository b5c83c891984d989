"""However it ends, nothing is left behind, and the next start works."""

import signal

import pytest

from tests.supervisor.running import MakeStack, wait_until


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_it_leaves_nothing(make_stack: MakeStack, number: signal.Signals) -> None:
    stack = make_stack().start().wait_ready()

    stack.send(number)

    assert stack.wait_end(seconds=6) == 0
    assert stack.left_over() == []
    assert {row["state"] for row in stack.table().values()} == {"stopped"}
    assert not (stack.data / "pg" / "postmaster.pid").exists()
    assert not (stack.data / "run" / "stack.env").exists()


def test_process_that_ignores_the_request_is_killed(make_stack: MakeStack) -> None:
    stack = make_stack(variables={"TINY_WORKER": "stubborn"}).start().wait_ready()

    stack.send(signal.SIGTERM)

    assert stack.wait_end(seconds=6) == 0
    assert stack.left_over() == []


def test_killed_supervisor_takes_everything_with_it_and_the_next_start_works(make_stack: MakeStack) -> None:
    stack = make_stack().start().wait_ready()

    stack.send(signal.SIGKILL)
    stack.wait_end()

    stack.wait_nothing_left()
    again = make_stack().start().wait_ready()
    assert again.row("postgres")["state"] == "running"


def test_start_right_after_a_kill_waits_for_the_dying_database(make_stack: MakeStack) -> None:
    stack = make_stack().start().wait_ready()

    stack.send(signal.SIGKILL)
    stack.wait_end()
    make_stack().start().wait_ready()


def test_interrupted_creation_of_the_database_is_done_again(make_stack: MakeStack) -> None:
    stack = make_stack().start()
    unfinished = stack.data / "pg.new"
    wait_until((unfinished / "base").is_dir, what="the half-made cluster")

    stack.send(signal.SIGKILL)
    stack.wait_end()
    stack.wait_nothing_left()
    assert unfinished.exists()
    assert not (stack.data / "pg").exists()

    make_stack().start().wait_ready()
    assert not unfinished.exists()
    assert (stack.data / "pg" / "PG_VERSION").exists()


def test_stop_during_the_start_is_a_stop(make_stack: MakeStack) -> None:
    stack = make_stack().start()
    wait_until((stack.data / "run" / "processes.json").exists, what="the first process")

    stack.send(signal.SIGINT)

    assert stack.wait_end(seconds=10) == 0
    stack.wait_nothing_left()
