"""What a sync changes or would change, as values for people and programs."""

from typing import Any

from app.admin.people_sync import DirectorySynced


def report(synced: DirectorySynced) -> dict[str, Any]:
    """By name: who is new, changed, off and on, which roles, and how many memberships begin and end."""
    difference = synced.difference
    moved = {after.id for after in (*difference.switched_off, *difference.switched_on, *difference.made)}
    return {
        "made": [after.shown for after in difference.made],
        "changed": [after.shown for _, after in difference.people if after.id not in moved],
        "switched_on": [after.shown for after in difference.switched_on],
        "switched_off": [after.shown for after in difference.switched_off],
        "roles_made": [after.shown for before, after in difference.roles if before is None],
        "roles_renamed": [
            f"{before.shown} → {after.shown}" for before, after in difference.roles if before is not None
        ],
        "joined": len(difference.joins),
        "left": len(difference.leaves),
        "nested": len(difference.nests),
        "unnested": len(difference.unnests),
        "left_out": list(difference.notes),
        "roles_count_until": synced.until.isoformat(),
    }
