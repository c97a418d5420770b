"""Every black-box test says which section of the protocol it checks: a comment above its group names it.

# E.2, Z.5: what the group is about
# beyond the protocol: where the protocol is silent
"""

import re
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parent / "blackbox").glob("test_*.py"))
SECTION = r"(?:[A-J](?:\.\d+)?|Z\.\d+)"
HEADING = re.compile(rf"# (?:{SECTION}(?:, {SECTION})*|beyond the protocol): \S.*")


def nameless(source: str) -> list[str]:
    """The tests that stand under no section."""
    found: list[str] = []
    for line in source.splitlines():
        if HEADING.fullmatch(line):
            return found
        if test := re.match(r"(?:async )?def (test_\w+)", line):
            found.append(test[1])
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_black_box_test_stands_under_a_section(file: Path) -> None:
    """Whatever comes after the first heading of a file stands under one."""
    assert nameless(file.read_text()) == []


@pytest.mark.parametrize("heading", ["# E.2: status", "# A.1, G, Z.11: pages", "# beyond the protocol: upgrades"])
def test_a_heading_names_sections_and_what_the_group_is_about(heading: str) -> None:
    """The reverse of the next test."""
    assert nameless(f"{heading}\n\n\ndef test_a() -> None: ...") == []


@pytest.mark.parametrize(
    "heading", ["", "# E.2", "# Z: limits", "# K.1: more", "# E.2 status", "#E.2: status", " # E.2: x"]
)
def test_a_test_without_a_section_is_found(heading: str) -> None:
    """Under any other comment, or none."""
    assert nameless(f"{heading}\n\n\ndef test_a() -> None: ...") == ["test_a"]
