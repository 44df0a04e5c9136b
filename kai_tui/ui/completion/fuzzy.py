"""How well a few typed characters fit a name: all of them must be in it, in that order."""

from __future__ import annotations

from typing import NamedTuple

_BREAKS = frozenset(" -_./:()[]")


class Fit(NamedTuple):
    """A name that fits."""

    score: float
    """The higher, the better; only comparable for the same query."""
    places: tuple[int, ...]
    """Which characters of the name were meant."""


def fit(query: str, name: str) -> Fit | None:
    """None when a character is missing. Case does not count; an empty query fits everything equally."""
    if not query:
        return Fit(0.0, ())
    wanted, there = query.lower(), name.lower()
    if len(there) != len(name):  # a letter that is two in lower case would shift the places
        there = name
    at = there.find(wanted)
    if at >= 0:
        begins = _begins(there, at)
        if not begins:
            at, begins = next(((place, True) for place in _starts(there, wanted) if place >= 0), (at, False))
        score = 100.0 + (60.0 if at == 0 else 30.0 if begins else 0.0) + 40.0 * len(wanted) / len(there)
        return Fit(score - at * 0.01, tuple(range(at, at + len(wanted))))
    return _scattered(wanted, there)


def _starts(name: str, wanted: str) -> list[int]:
    """Where a word of the name begins with what is wanted."""
    found: list[int] = []
    at = name.find(wanted)
    while at >= 0 and len(found) < 8:
        if _begins(name, at):
            found.append(at)
        at = name.find(wanted, at + 1)
    return found


def _scattered(wanted: str, name: str) -> Fit | None:
    """Beginnings of words first: `icc` means `in.c-crm`."""
    places: list[int] = []
    score, at = 50.0, 0
    for letter in wanted:
        place = name.find(letter, at)
        if place < 0:
            return None
        if places and place != at:
            begin = next(
                (each for each in range(place, len(name)) if name[each] == letter and _begins(name, each)), -1
            )
            if begin >= 0 and _rest_follows(wanted, len(places) + 1, name, begin + 1):
                place = begin
        score += (
            5.0 if _begins(name, place) else 2.0 if places and place == at else -min(3.0, (place - at) * 0.5)
        )
        places.append(place)
        at = place + 1
    return Fit(max(1.0, score + 10.0 * len(wanted) / len(name)), tuple(places))


def _rest_follows(wanted: str, index: int, name: str, at: int) -> bool:
    for letter in wanted[index:]:
        at = name.find(letter, at) + 1
        if at == 0:
            return False
    return True


def _begins(name: str, at: int) -> bool:
    return at == 0 or name[at - 1] in _BREAKS
