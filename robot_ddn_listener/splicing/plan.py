"""From what a file holds and what it shall hold to the edits that make the difference."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..annotation import Annotations, Place, card_facts
from .records import COLUMNS, Edit, Format, Found, Gap, Row, Scan, Spot, TagTable, Wanted, is_our_tag, legal, normal_name


def wanted_of(annotations: Annotations) -> Wanted:
    """Return the spots that `plan` needs for `annotations`."""
    return Wanted(frozenset(_places(annotations)), frozenset(filter(None, map(_name_on, annotations.cards.values()))))


def plan(scan: Scan, annotations: Annotations, read: Callable[[int, int], bytes]) -> tuple[list[Edit], tuple[Place, ...]]:
    """Return the edits in file order, and the places of cards that are not in the file. `read` gives the bytes from, to."""
    wishes, missing = _wishes(scan, annotations)
    edits = [edit for wish in wishes for edit in _spot_edits(scan, wish)]
    form = scan.format
    edits += _put(scan.suite_metadata, scan.suite_metadata_gap, annotations.suite_metadata, form, form.suite_metadata)
    if annotations.tags and scan.tag_table:
        edits += _table_edits(scan, scan.tag_table, {id(wish.spot): wish.tag for wish in wishes}, read)
    return sorted(edits, key=lambda edit: (edit.start, edit.end)), missing


@dataclass(slots=True)
class _Wish:
    spot: Spot
    card: str = ""
    tag: str = ""
    metadata: str = ""


def _wishes(scan: Scan, annotations: Annotations) -> tuple[list[_Wish], tuple[Place, ...]]:
    by_place = {spot.place: spot for spot in scan.spots}
    by_name = {spot.name: spot for spot in scan.spots if spot.place.test_id}
    wishes: dict[int, _Wish] = {}
    missing = []
    for place in _places(annotations):
        spot = _spot_for(place, annotations.cards.get(place, ""), by_place, by_name)
        if spot:
            wish = wishes.setdefault(id(spot), _Wish(spot))
            wish.card = annotations.cards.get(place, wish.card)
            wish.tag = annotations.tags.get(place.test_id, wish.tag)
            wish.metadata = annotations.test_metadata.get(place.test_id, wish.metadata)
        elif place in annotations.cards:
            missing.append(place)
    return list(wishes.values()), tuple(missing)


def _places(annotations: Annotations) -> dict[Place, None]:
    tests = (Place(test_id=test_id) for test_id in (*annotations.tags, *annotations.test_metadata))
    return dict.fromkeys((*annotations.cards, *tests))


def _spot_for(place: Place, card: str, by_place: Mapping[Place, Spot], by_name: Mapping[str, Spot]) -> Spot | None:
    # Listeners that repeat tests take the earlier results out of the file afterwards, and all later ids change: the name that
    # the card itself carries wins over the id.
    spot = by_place.get(place)
    name = _name_on(card) if place.test_id else ""
    if name and not (spot and spot.name == name):
        spot = by_name.get(name, spot)
    return spot


def _name_on(card: str) -> str:
    facts = card_facts(card)
    return facts.name if facts else ""


def _spot_edits(scan: Scan, wish: _Wish) -> list[Edit]:
    spot, form = wish.spot, scan.format
    edits = _put(spot.card, spot.card_gap, wish.card, form, lambda html: form.card(html, spot.started))
    if scan.has_test_metadata:
        edits += _put(spot.metadata, spot.metadata_gap, wish.metadata, form, form.test_metadata)
    return edits + _put(spot.tag, spot.tag_gap, wish.tag, form, form.tag)


def _put(found: Found | None, gap: Gap | None, text: str, form: Format, element: Callable[[str], bytes]) -> list[Edit]:
    text = legal(text)
    if not text or (found and found.text == text):
        return []
    if found:
        return [Edit(found.start, found.end, form.text(text))]
    return [Edit(gap.at, gap.at, gap.before + element(text) + gap.after)] if gap else []


def _table_edits(scan: Scan, table: TagTable, new_tags: Mapping[int, str], read: Callable[[int, int], bytes]) -> list[Edit]:
    rows = [(row, read(row.start, row.end)) for row in table.rows]
    before = [text for _, text in rows]
    counts = _counts(scan, new_tags)
    rows = [(row, _row_text(scan.format, row, text, counts)) for row, text in rows]
    known = {row.label for row in table.rows}
    for tag in sorted(counts.keys() - known):
        new = Row({}, 0, label=tag)
        rows.insert(_row_index(rows, tag), (new, scan.format.row(tag, counts[tag], {})))
    after = [text for _, text in rows if text]
    content = table.before + table.between.join(after) + table.after
    return [] if before == after else [Edit(table.start, table.end, content)]


def _counts(scan: Scan, new_tags: Mapping[int, str]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for spot in scan.spots:
        tag = new_tags.get(id(spot)) or (spot.tag.text if spot.tag else "")
        if tag:
            counts.setdefault(legal(tag), Counter())[spot.status] += 1
    return counts


def _row_text(form: Format, row: Row, text: bytes, counts: Mapping[str, Counter[str]]) -> bytes:
    if row.is_combined or not (row.label in counts or is_our_tag(row.label)):
        return text
    if row.label not in counts:
        return b""
    count = counts[row.label]
    same = all(int(row.attributes.get(key, 0)) == count[status] for key, status in COLUMNS.items())
    return text if same else form.row(row.label, count, row.attributes)


def _row_index(rows: Sequence[tuple[Row, bytes]], tag: str) -> int:
    after = (index for index, (row, _) in enumerate(rows) if not row.is_combined and normal_name(row.label) > normal_name(tag))
    return next(after, len(rows))
