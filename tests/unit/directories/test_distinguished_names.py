"""Names of entries: ways to write one name are one, and two names never are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directories.distinguished_names import normal_dn
from app.directories.snapshot import DirectoryGroup, DirectoryPerson, DirectorySnapshot

SAME = [
    ("uid=freya,ou=People,dc=corp", "UID = Freya , OU=people,DC=CORP"),
    (r"cn=Stone\, Freya,dc=corp", r"CN=stone\2c freya,dc=corp"),
    (r"cn=Stone\, Freya,dc=corp", r'cn="Stone, Freya",dc=corp'),
    (r"cn=a\+b,dc=corp", r"cn=a\2Bb,dc=corp"),
    ("cn=a+uid=b,dc=corp", "uid=b + cn=a,dc=corp"),
    (r"cn=Zo\C3\AB,dc=corp", "cn=zoë,dc=corp"),
    (r"cn=a\\b,dc=corp", r"cn=a\5cb,dc=corp"),
    ("cn=a  b,dc=corp", "cn=a b,dc=corp"),
]
OTHER = [
    (r"cn=a\,ou=b,dc=corp", "cn=a,ou=b,dc=corp"),
    (r"cn=a\+uid=b,dc=corp", "cn=a+uid=b,dc=corp"),
    ("cn=ab,dc=corp", "cn=a b,dc=corp"),
    (r"cn=a\\,ou=b", r"cn=a\,ou=b"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_name(one: str, other: str) -> None:
    assert normal_dn(one) == normal_dn(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_two_names(one: str, other: str) -> None:
    assert normal_dn(one) != normal_dn(other)


VALUES = st.text('ab ,+=\\"#;<>*()', min_size=1, max_size=6)


def written(value: str) -> str:
    """A value as RFC 4514 writes it, every sign escaped in hex."""
    return "".join(f"\\{byte:02x}" for byte in value.encode())


@given(one=st.lists(VALUES, min_size=1, max_size=3), other=st.lists(VALUES, min_size=1, max_size=3))
def test_names_are_one_where_their_values_are(one: list[str], other: list[str]) -> None:
    def dn(values: list[str]) -> str:
        return normal_dn(",".join(f"cn={written(value)}" for value in values))

    same = [" ".join(value.split()) for value in one] == [" ".join(value.split()) for value in other]
    assert (dn(one) == dn(other)) is same
    assert normal_dn(dn(one)) == dn(one)


def test_a_member_that_two_have_means_neither() -> None:
    people = {n: DirectoryPerson(n, f"cn={n}", "twice", "", active=True) for n in ("1", "2")}
    groups = {"g": DirectoryGroup("g", "cn=g", "g", frozenset({"cn=1", "cn=gone", "cn=g"}), frozenset({"twice"}))}
    [group] = DirectorySnapshot(people, groups).wanted("corp").groups or ()
    assert (group.members, group.inner) == (frozenset({"1"}), frozenset())
