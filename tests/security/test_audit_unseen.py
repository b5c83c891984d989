"""AUD-01: nobody edits the trail unseen, not even the owner of the database with every trigger off."""

from __future__ import annotations

import json
import os

import pytest

from apps.core.services import audit
from apps.security.selectors import anchor_files
from apps.security.services.anchors import write_anchors
from apps.security.services.emptying import empty_person
from tests.core.events import platform_role
from tests.security.trails import (
    ANNA,
    BEN,
    OURS,
    THEIRS,
    act,
    anchor_file,
    chain,
    command,
    problems,
    rehash,
    relay,
    run_attack,
    undone,
    verify,
)

MINE = f"organization_id = '{OURS}'"
AT3, AT4 = f"{MINE} AND number = 3", f"{MINE} AND number = 4"


@pytest.fixture
def anchors(tmp_path, settings):
    """A directory for anchors of this test."""
    settings.CONFIGURATION = _with_directory(settings.CONFIGURATION, tmp_path)
    return tmp_path


@pytest.fixture
def trail(transactional_db, anchors):
    """Six entries of ours, two of theirs; chained, anchored and found whole: the control of every attack."""
    act(times=6)
    act(THEIRS, times=2, actor_id=BEN)
    relay()
    assert (verify().findings, verify(THEIRS).findings, verify(audit.PLATFORM).findings) == ([], [], [])
    assert (verify().entries, verify().anchors, verify().last_anchor) == (6, 1, 6)
    return anchors


def _with_directory(configuration, where):
    security = configuration.security.model_copy(update={"audit_anchor_dir": where})
    return type(configuration)(**{**vars(configuration), "security": security})


def _remove(where):
    return f"DELETE FROM core_auditentry WHERE {where}"


def _change(values, where=AT3):
    return f"UPDATE core_auditentry SET {values} WHERE {where}"


def _cut_and_hide(owner):
    owner.execute(_remove(f"{MINE} AND number > 4"))
    rehash(owner)


def _remove_and_rehash(owner):
    owner.execute(_remove(AT3))
    rehash(owner)


def _change_and_rehash(owner):
    owner.execute(_change(f"actor_id = '{BEN}'"))
    rehash(owner)


def _date_back_and_rehash(owner):
    owner.execute(_change("created_at = created_at - interval '1 minute'"))
    rehash(owner)


def _swap_and_rehash(owner):
    _swap_numbers(owner)
    rehash(owner)


def _swap_numbers(owner):
    owner.execute(f"UPDATE core_auditentry SET number = 7 - number WHERE {MINE} AND number IN (3, 4)")


def _copy(number):
    columns = """key, organization_id, created_at, action, outcome, actor_id, on_behalf_of, object_type, object_id,
      request_id, session, details, address_reference, person_reference, seal, address, person, hash, chained_at"""
    return f"""INSERT INTO core_auditentry ({columns}, number) SELECT {columns}, {number} FROM core_auditentry
      WHERE {AT3}"""


def _forge(owner):
    """An entry of the attacker's own, as well as it can be made without the key."""
    owner.execute(
        f"""INSERT INTO core_auditentry (key, organization_id, created_at, action, outcome, actor_id, object_type,
          object_id, request_id, session, details, address_reference, person_reference, seal)
          SELECT gen_random_uuid(), organization_id, now(), action, outcome, '{BEN}', object_type, object_id,
          request_id, session, details, '', '', seal FROM core_auditentry WHERE {AT3}"""
    )


def _everything_of_ours(owner):
    owner.execute(_remove(MINE))
    owner.execute(f"DELETE FROM core_auditchain WHERE {MINE}")


# name: (attack, what is found with anchors, what is found without)
ATTACKS = {
    "actor changed": (_change(f"actor_id = '{BEN}'"), [("changed", 3)], [("changed", 3)]),
    "asker taken away": (_change(f"on_behalf_of = '{BEN}'"), [("changed", 3)], [("changed", 3)]),
    "action changed": (_change("action = 'member.invited'"), [("changed", 3)], [("changed", 3)]),
    "outcome changed": (_change("outcome = 'refused'"), [("changed", 3)], [("changed", 3)]),
    "object changed": (_change("object_id = 'other'"), [("changed", 3)], [("changed", 3)]),
    "request changed": (_change("request_id = 'other'"), [("changed", 3)], [("changed", 3)]),
    "details changed": (_change("""details = '{"turn": 9}'"""), [("changed", 3)], [("changed", 3)]),
    "seal replaced": (_change("seal = 'x:y'"), [("changed", 3)], [("changed", 3)]),
    "address replaced": (_change("address = '203.0.113.9'"), [("changed", 3)], [("changed", 3)]),
    "reference replaced": (
        _change("address_reference = 'x', address = NULL"), [("changed", 3), ("emptied", None)],
        [("changed", 3), ("emptied", None)],
    ),
    "values emptied": (_change("address = NULL, person = NULL"), [("emptied", None)], [("emptied", None)]),
    "time changed": (_change("created_at = created_at - interval '1 minute'"), [("moved", 3)], [("moved", 3)]),
    "time of chaining changed": (_change("chained_at = now()"), [("moved", 3)], [("moved", 3)]),
    "hash changed": (_change("hash = repeat('a', 64)"), [("moved", 3), ("moved", 4)], [("moved", 3), ("moved", 4)]),
    "first removed": (_remove(f"{MINE} AND number = 1"), [("removed", 1)], [("removed", 1)]),
    "middle removed": (_remove(AT3), [("removed", 3)], [("removed", 3)]),
    "two removed": (_remove(f"{MINE} AND number IN (3, 4)"), [("removed", 3)], [("removed", 3)]),
    "unchained": (_change("number = NULL, hash = NULL, chained_at = NULL"), [("removed", 3)], [("removed", 3)]),
    "moved away": (_change(f"organization_id = '{THEIRS}'"), [("removed", 3)], [("removed", 3)]),
    "tail cut": (_remove(f"{MINE} AND number > 4"), [("cut", 6)], [("cut", 6)]),
    "tail cut, head put back": (_cut_and_hide, [("cut", 6)], []),
    "swapped": (_swap_numbers, [("moved", 3), ("moved", 4), ("moved", 5)], [("moved", 3), ("moved", 4), ("moved", 5)]),
    "copied over": (_copy(3), [("inserted", 3), ("inserted", 3)], [("inserted", 3), ("inserted", 3)]),
    "copied to the end": (
        _copy(7), [("moved", 7), ("inserted", 7), ("inserted", 7)],
        [("moved", 7), ("inserted", 7), ("inserted", 7)],
    ),
    "forged, not chained": (_forge, [("changed", None)], [("changed", None)]),
    "rewritten without one": (_remove_and_rehash, [("cut", 6)], []),
    "rewritten in another order": (_swap_and_rehash, [("rewritten", 6)], []),
    "rewritten with another time": (_date_back_and_rehash, [("rewritten", 6)], []),
    "rewritten with another actor": (_change_and_rehash, [("changed", 3), ("rewritten", 6)], [("changed", 3)]),
    "head lowered": (
        f"UPDATE core_auditchain SET number = 5 WHERE {MINE}", [("inserted", 6)], [("inserted", 6)],
    ),
    "head replaced": (
        f"UPDATE core_auditchain SET hash = repeat('a', 64) WHERE {MINE}", [("rewritten", 6)], [("rewritten", 6)],
    ),
    "everything removed": (_everything_of_ours, [("cut", 6)], []),
}  # fmt: skip


def test_an_edit_by_the_owner_is_found_and_named(trail):
    found, alone, codes = {}, {}, set()
    for name, (attack, *_expected) in ATTACKS.items():
        with undone():
            run_attack(attack)
            found[name], alone[name] = problems(verify()), problems(verify(anchored=False))
            code, said = command()
            codes.add((code, found[name][0][0] in said))
    assert found == {name: with_anchors for name, (_, with_anchors, _) in ATTACKS.items()}
    assert alone == {name: without for name, (_, _, without) in ATTACKS.items()}
    assert codes == {(1, True)}
    assert problems(verify()) == []  # control: each was undone


def test_a_shorter_chain_that_was_written_again_and_grew_is_not_the_anchored_one(trail):
    run_attack(_remove_and_rehash)
    act()
    assert chain() == 1
    assert problems(verify(anchored=False)) == []
    assert problems(verify()) == [("rewritten", 6)]


def test_an_entry_is_protected_before_it_is_chained(trail):
    act(object_id="late")
    assert (verify().waiting, verify().findings) == (1, [])  # control
    run_attack(_change("details = '{}'", f"{MINE} AND number IS NULL"))
    assert problems(verify()) == [("changed", None)]
    chain()
    assert problems(verify()) == [("changed", 7)]


def test_an_entry_moved_to_another_trail_is_found_there(trail):
    run_attack(_change(f"organization_id = '{THEIRS}'"))
    assert ("changed", 3) in problems(verify(THEIRS))


def test_a_forged_entry_is_found_after_the_relay_chained_it(trail):
    run_attack(_forge)
    relay()
    assert problems(verify()) == [("changed", 7)]


def test_an_erasure_is_no_edit_and_counts_only_once(trail):
    assert empty_person(organization_id=OURS, person_id=ANNA, actor_id=BEN) == 6
    assert (
        empty_person(organization_id=OURS, person_id=BEN, spellings=[" BEN@example.org "], actor_id=BEN) == 6
    )
    relay()
    assert (verify().emptied, verify().findings) == (12, [])
    act()
    chain()
    run_attack(_change("person = NULL", f"{MINE} AND person IS NOT NULL"))
    assert problems(verify()) == [("emptied", None)]


def test_the_command_finds_nothing_in_a_whole_trail_and_names_the_rest(trail):
    code, said = command()
    assert code == 0
    assert "The audit trail is whole." in said
    assert command("--organization", "nobody")[0] == 1


FILE_ATTACKS = {
    "a number changed": lambda lines: [lines[0].replace('"number":6', '"number":5'), *lines[1:]],
    "a line removed": lambda lines: [lines[0], *lines[2:]],
    "the end cut": lambda lines: lines[:-1],
    "the last line halved": lambda lines: [*lines[:-1], lines[-1][:40].rstrip("\n")],
    "two swapped": lambda lines: [lines[1], lines[0], *lines[2:]],
    "one repeated": lambda lines: [*lines, lines[-1]],
    "nonsense added": lambda lines: [*lines, "[]\n"],
    "a forged line added": lambda lines: [*lines, lines[-1].replace('"line":4', '"line":5')],
    "all gone": lambda lines: [],
}


def test_a_broken_anchor_file_is_found(trail):
    act(THEIRS)
    relay()
    path = anchor_file(trail)
    lines = path.read_text().splitlines(keepends=True)
    assert (len(lines), command()[0]) == (4, 0)  # control
    said = {}
    for name, attack in FILE_ATTACKS.items():
        path.write_text("".join(attack(lines)))
        said[name] = command()
    assert {name for name, (code, text) in said.items() if code == 1 and "  anchors: " in text} == set(
        FILE_ATTACKS
    )


def test_anchors_signed_with_another_key_are_not_believed(trail, settings):
    settings.SECRET_KEY = "z" * 60
    code, said = command()
    assert code == 1
    assert "unknown key" in said
    settings.SECRET_KEY_FALLBACKS = [os.environ["CHATSYSTEM_SECRET_KEY"]]
    assert command()[0] == 0


def test_the_signature_can_be_checked_with_the_public_key_alone(trail):
    from base64 import b64decode

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    said = command()[1]
    public = said.partition("public key ")[2].split()[0]
    line = json.loads(anchor_file(trail).read_text().splitlines()[0])
    assert public.startswith(line["key"])
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(
        b64decode(line["signature"]), anchor_files.signed_part(line)
    )


def test_anchors_are_written_only_when_there_is_news(trail):
    with platform_role():
        assert write_anchors() == 0
    act()
    relay()
    lines = anchor_file(trail).read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [6, 2, 1, 7]  # theirs did not grow
    assert [json.loads(line)["line"] for line in lines] == [1, 2, 3, 4]


def test_a_line_that_a_crash_cut_in_two_is_written_again(trail):
    path = anchor_file(trail)
    whole = path.read_text()
    path.write_text(whole + '{"set":"')
    act()
    relay()
    assert path.read_text().startswith(whole + '{"set":"' + json.loads(whole.splitlines()[0])["set"])
    assert command()[0] == 0


def test_an_old_month_may_be_archived(trail):
    path = anchor_file(trail)
    old = path.with_name("audit-anchors-2020-01.jsonl")
    path.rename(old)
    act()
    relay()
    assert len(anchor_files.files(trail)) == 2
    assert command()[0] == 0
    old.unlink()
    assert command()[0] == 0


def test_writers_at_once_fork_no_chain(transactional_db, anchors):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    def write(_writer):
        try:
            act(times=10)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    relay()
    report = verify()
    assert (report.entries, report.head, report.findings) == (40, 40, [])
