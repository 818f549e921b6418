"""The looks of a card: colours and the style sheet. Nothing here is needed to understand a card."""

from ..contract import ErrorType

COLOURS = {
    ErrorType.CODE_ERROR: "#b3261e",
    ErrorType.TEST_ERROR: "#7a3db8",
    ErrorType.INFRA_ERROR: "#0f5fae",
    ErrorType.CONFIG_ERROR: "#8a5a00",
    ErrorType.DEPENDENCY_ERROR: "#006d5b",
    ErrorType.UNKNOWN: "#5b6470",
}
"""White on each of them has a contrast of 5.5 or more, so that badges need no second set for the dark theme."""

# Below 700 px Robot's columns for time and level would leave the card a third of the window: they step aside.
_NARROW = ".messages:has([data-ddn]) .time,.messages:has([data-ddn]) .level{display:none}"

# Greys are half transparent and text colours inherited, so that both of Robot's themes and other viewers' pages shine through.
STYLE = (
    "<style>"
    ".ddn{font:.93em/1.5 Helvetica,Arial,sans-serif;white-space:normal;overflow-wrap:anywhere;max-width:66em;margin:2px 0 8px;"
    "padding:.7em 1em;border:1px solid #8885;border-left:4px solid var(--ddn);border-radius:4px}"
    ".ddn p,.ddn dl,.ddn ul,.ddn ol{margin:.5em 0 0;padding:0}"
    ".ddn .ddn-head{display:flex;flex-wrap:wrap;gap:.2em .7em;align-items:baseline;margin:0}"
    ".ddn b.ddn-type{background:var(--ddn);color:#fff;padding:.1em .5em;border-radius:3px;font-size:.9em}"
    ".ddn .ddn-by{margin-left:auto}"
    ".ddn .ddn-cause{font-size:1.15em;font-weight:bold}"
    ".ddn dl{display:grid;grid-template-columns:8.5em minmax(0,1fr);gap:.35em 1em;margin-top:.8em}"
    ".ddn dd{margin:0}.ddn dd p{margin:0 0 .4em}.ddn dd ul,.ddn ol{padding-left:1.2em;margin:0}"
    ".ddn dt,.ddn .ddn-dim{opacity:.78}"
    ".ddn code{font:.95em/1.45 monospace,monospace}"
    ".ddn code.ddn-quote{display:block;white-space:pre-wrap;padding:.3em .6em;background:#8882;border-radius:3px}"
    ".ddn .ddn-text{white-space:pre-wrap}.ddn .ddn-where{font-size:.9em}"
    ".ddn .ddn-foot{font-size:.9em;margin-top:.9em;padding-top:.5em;border-top:1px solid #8885}"
    ".ddn summary{cursor:pointer}"
    "@media(max-width:700px){.ddn dl{display:block}.ddn dt{margin-top:.6em}.ddn .ddn-by{margin-left:0}"
    f"{_NARROW}}}</style>"
)

LINE_STYLE = "font:.93em/1.6 Helvetica,Arial,sans-serif;white-space:normal;overflow-wrap:anywhere;padding-left:.7em"
LINE_STYLE_SHEET = f"<style>@media(max-width:700px){{{_NARROW}}}</style>"


def badge_style(colour: str) -> str:
    return f"background:{colour};color:#fff;padding:.1em .5em;border-radius:3px;font-size:.9em;white-space:nowrap"
