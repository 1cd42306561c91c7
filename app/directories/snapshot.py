"""What a directory said: its people and groups as it names them, and who is meant by the members of a group. Pure.

Members are names of entries (DNs) or of people. Whom a member means is looked up among what was read, and nothing of a
directory is ever put into a filter or a name, so that no value of it can ask for anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.admin.people_difference import WantedDirectory, WantedGroup
from app.admin.provisioning import PersonDetails


@dataclass(frozen=True)
class DirectoryPerson:
    """A person's entry. `dn` in its normal form."""

    external_id: str
    dn: str
    name: str
    display_name: str
    active: bool


@dataclass(frozen=True)
class DirectoryGroup:
    """A group's entry. `members` are DNs in their normal form, `names` are people's names."""

    external_id: str
    dn: str
    name: str
    members: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass
class DirectorySnapshot:
    """All people and groups of a directory, by their ids, and when the latest of them changed, by its own clock."""

    people: dict[str, DirectoryPerson] = field(default_factory=dict)
    groups: dict[str, DirectoryGroup] | None = None
    changed: str | None = None

    def updated(self, newer: "DirectorySnapshot") -> "DirectorySnapshot":
        """This with the entries of another one in the place of theirs of before; what is gone is still there."""
        groups = None if self.groups is None else self.groups | (newer.groups or {})
        return DirectorySnapshot(self.people | newer.people, groups, newer.changed or self.changed)

    def wanted(self, source: str) -> WantedDirectory:
        """As our people and roles are to be. A member that means nobody here, or two, is left out."""
        people = [
            PersonDetails(p.name, p.display_name, p.external_id, p.active)
            for p in sorted(self.people.values(), key=lambda p: p.external_id)
        ]
        if self.groups is None:
            return WantedDirectory(source, people)
        person_of = _unambiguous((p.dn, p.external_id) for p in self.people.values())
        named = _unambiguous((p.name, p.external_id) for p in self.people.values())
        group_of = _unambiguous((g.dn, g.external_id) for g in self.groups.values())
        groups = [
            WantedGroup(
                g.external_id,
                g.name,
                _meant(g.members, person_of) | _meant(g.names, named),
                _meant(g.members, group_of) - {g.external_id},
            )
            for g in sorted(self.groups.values(), key=lambda g: g.external_id)
        ]
        return WantedDirectory(source, people, groups)


def _unambiguous(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Who is meant by a name; a name of two means nobody."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for name, external_id in pairs:
        if found.setdefault(name, external_id) != external_id:
            twice.add(name)
    return {name: external_id for name, external_id in found.items() if name not in twice}


def _meant(names: Iterable[str], by_name: Mapping[str, str]) -> frozenset[str]:
    return frozenset(by_name[name] for name in names if name in by_name)
