"""How keys may be spelled, and what an unknown one is. Pure.

The Go plugin's loader takes a key as it is documented, in UPPER CASE and Capitalised, and passes over what
it does not know. Files that it starts with have to start here too. But a slip in a key that only we have
would open what was meant to be closed (``allowed_domainz``), and no file of the Go plugin has the like: that
is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from teleport_email.config.keys import GO_PLUGIN_KEYS, KEYS
from teleport_email.config.tables import did_you_mean, dotted

# Nearer than what two words have in common by chance: one letter in five may differ.
_NEAR = 0.8
# Keys of ours with a name that a section of any program may have: elsewhere it is no slip.
_EVERYWHERE = frozenset({"enabled"})


def documented(document: Mapping[str, object]) -> tuple[dict[str, object], list[str]]:
    """The document with its keys as they are documented, and a warning for each that was spelled otherwise.

    Where two spellings of one key stand in a table, the documented one counts.
    """
    warnings: list[str] = []
    return _documented(document, "", warnings), warnings


def _documented(table: Mapping[str, object], path: str, warnings: list[str]) -> dict[str, object]:
    names = {spelled: key for key in KEYS[path] for spelled in (key.capitalize(), key.upper())}
    found: dict[str, object] = {}
    for spelled, value in table.items():
        key = names.get(spelled, spelled)
        if key == spelled:
            found[key] = value
        elif key in table or (spelled != key.upper() and key.upper() in table):
            other = key if key in table else key.upper()
            warnings.append(f"{dotted(path, spelled)} is not read: {dotted(path, other)} is there too")
        else:
            warnings.append(f"{dotted(path, spelled)} is read as {dotted(path, key)}: write it like that")
            found[key] = value
    for key, value in found.items():
        inner = dotted(path, key)
        if inner in KEYS and isinstance(value, Mapping):
            found[key] = _documented(value, inner, warnings)
    return found


def unknown(path: str, key: str) -> tuple[bool, str]:
    """Of an unknown key: whether it is a fault, and what to say about it."""
    what = f"is not a known {'key' if path else 'section or key'}"
    hint = did_you_mean(key, KEYS[path])
    if path == "escalation":  # no file of the Go plugin has it, and whoever is not told stays untold
        if key == "recipients":
            return True, 'has no roles: write them as a line "*" = [...] of [escalation.role_to_recipients]'
        return True, f"{what}{hint}: roles have their lines in [escalation.role_to_recipients]"
    nearest = max(KEYS[path], key=lambda known: _likeness(key, known))
    if _likeness(key, nearest) >= _NEAR:
        return nearest not in GO_PLUGIN_KEYS.get(path, ()), f'{what} (did you mean "{nearest}"?)'
    homes = list(_homes(key))
    if homes:
        of_go = any(_plain(key) == _plain(known) for keys in GO_PLUGIN_KEYS.values() for known in keys)
        return not of_go and _plain(key) not in _EVERYWHERE, f"{what} (did you mean {' or '.join(homes)}?)"
    return False, f"{what}{hint}"


def _homes(key: str) -> Iterator[str]:
    """Where a key of this name would be at home."""
    for path, keys in KEYS.items():
        for known in keys:
            if _plain(key) == _plain(known):
                yield dotted(path, known)


def _likeness(one: str, other: str) -> float:
    import difflib  # only for who has mistyped

    return difflib.SequenceMatcher(None, _plain(one), _plain(other)).ratio()


def _plain(key: str) -> str:
    return key.lower().replace("-", "").replace("_", "")
