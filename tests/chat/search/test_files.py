"""Names of files as a search asks for them: any part of a name, written out, with `-` before what must not be."""

from __future__ import annotations

import pytest

from apps.chat.selectors.search.understanding import demands, read_query, understand
from tests.factories.accounts import MemberFactory, principal_of


@pytest.mark.parametrize(
    ("query", "pattern", "is_negated"),
    [
        ("file:report", "%report%", False),
        ('-datei:"Annual report"', "%Annual report%", True),
        ("file:100%_x", r"%100\%\_x%", False),
        (r"file:a\b", r"%a\\b%", False),
    ],
)
def test_a_name_is_a_demand_on_messages_and_documents(
    db: None, query: str, pattern: str, is_negated: bool
) -> None:
    understood = understand(principal_of(MemberFactory()), read_query(query))
    (demand,) = demands(understood) or []
    assert (demand.condition.filter, demand.condition.values) == ("file_name", (pattern,))
    assert demand.is_negated == is_negated
    assert not any(one.is_for_messages for one in understood)


def test_several_names_must_all_fit(db: None) -> None:
    found = demands(understand(principal_of(MemberFactory()), read_query("file:a file:b -file:c")))
    assert found is not None
    assert [(one.condition.values[0], one.is_negated) for one in found] == [
        ("%a%", False), ("%b%", False), ("%c%", True),
    ]  # fmt: skip
