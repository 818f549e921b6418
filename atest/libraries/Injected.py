"""Payloads of cross-site scripting wherever a reader's page takes foreign text from, and a server that notices what loads."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from robot.api.deco import keyword, library
from robot.utils import escape

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "utest"))
from servers.gemini import Answer, GeminiServer, conclude, prompt, refusal

OWN = "document.title=`OWNED`"
# {own} is a script that shows itself in the page's title, {seen} an address on a server that counts who comes.
FAMILIES = {
    "script": "<script>{own}</script>",
    "closed attribute": '"><script>{own}</script>',
    "image with error": "<img src={seen} onerror={own}>",
    "svg": "<svg/onload={own}>",
    "event in attribute": "' onmouseover='{own}' autofocus onfocus='{own}' tabindex=1 x='",
    "frame": "<iframe srcdoc='<script>parent.{own}</script>' src={seen}></iframe>",
    "object": "<object data={seen}></object><embed src={seen}>",
    "style": "<style>@import '{seen}';body{{background:url({seen})}}</style></style><link rel=stylesheet href={seen}>",
    "style attribute": '<div style="background:url({seen})">x</div>',
    "base and form": "<base href={seen}><form action={seen}><input type=image src={seen}></form>",
    "media": "<video autoplay poster={seen}><source src={seen} onerror={own}></video><details open ontoggle={own}>",
    "meta refresh": '<meta http-equiv=refresh content="0;url={seen}">',
    "end of the data": "</script><script>{own}</script><!--",
    "entities": "&lt;script&gt;{own}&lt;/script&gt; &#60;img src={seen} onerror={own}&#62;",
    "template": "${{{own}}} {{{{constructor.constructor('{own}')()}}}} <%= {own} %>",
    "robot's link": "[javascript:{own}|click] [data:text/html,<script>{own}</script>|click] javascript:{own}",
    "robot's image": "[{seen}.png|{seen}.png] {seen}.png [{seen}.png|x]",
    "robot's styles": "*bold* _italic_ ``code`` *<b onclick={own}>*",
    "robot's table": "| =head= | [javascript:{own}|x] | | <img src={seen} onerror={own}> | ---",
    "robot's html": "*HTML*<img src={seen} onerror={own}>",
    "markdown": "[x](javascript:{own}) ![x]({seen}.png) <javascript:{own}> [x]: {seen}",
    "split tag": "<scr<script>ipt>{own}</scr</script>ipt><img\nsrc={seen}\nonerror={own}>",
    "hidden characters": "<\u200bscript>{own}</script>\u202e<img\u2028src={seen} onerror={own}>\x00<svg\x0conload={own}>",
    "cdata": "]]><script>{own}</script><![CDATA[ --><script>{own}</script>",
}


@library(scope="SUITE")
class Injected:
    """The stand-in model answers with the payload of the failure that it is asked about, and refuses where it says so."""

    def __init__(self) -> None:
        self.visitors: list[str] = []
        self._tracker = ThreadingHTTPServer(("127.0.0.1", 0), _counting(self.visitors))
        threading.Thread(target=self._tracker.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.model = GeminiServer(self._answer).__enter__()

    @property
    def payloads(self) -> dict[str, str]:
        seen = f"http://127.0.0.1:{self._tracker.server_port}/seen"
        return {name: text.format(own=OWN, seen=seen) for name, text in FAMILIES.items()}

    def _answer(self, request: dict[str, Any]) -> Answer:
        asked = prompt(request)
        name = next((name for name in FAMILIES if f"family <{name}>" in asked), "script")
        text = self.payloads[name]
        if "is refused" in asked:
            return refusal()
        return conclude(
            root_cause=text,
            recommendation=f"`{text}` {text}",
            evidence=[{"quote": f"The gizmo of family <{name}> was not amused", "where": text}],
            missing=[text],
            confidence=0.5,
        )

    @keyword
    def make_hostile_project(self, folder: Path) -> Path:
        """Make a repository whose suite has payloads as names, tags, messages and logs, and whose commits have them as subjects."""
        root = Path(folder) / "project"
        (root / "tests").mkdir(parents=True)
        git = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.com"]
        subprocess.run([*git, "init", "--quiet"], check=True)
        for number, payload in enumerate(self.payloads.values()):
            (root / "tests" / "hostile.robot").write_text(self._suite(number), encoding="utf-8")
            subprocess.run([*git, "add", "--all"], check=True)
            subprocess.run([*git, "commit", "--quiet", f"--message={_in_one_line(payload)}"], check=True)
        return root

    @keyword
    def make_hostile_runbooks(self, folder: Path) -> Path:
        """Write a runbook for each payload, with it as title, cause, remedy and address."""
        where = Path(folder) / "runbooks"
        where.mkdir()
        for name, payload in self.payloads.items():
            flat = _in_one_line(payload)
            symptom = f"The widget of family <{name}> is refused"
            head = ["---", f"title: {flat}", "error_type: INFRA_ERROR", "symptoms:", f"  - {symptom}", "urls:"]
            head += [f"  - https://example.com/{quote(flat, safe='')}", f"  - {flat}", "---", ""]
            text = "\n".join([*head, "## Cause", "", flat, "", "## Remedy", "", payload.replace("\x00", ""), ""])
            (where / f"{name.replace(' ', '-')}.md").write_text(text, encoding="utf-8")
        return where

    @keyword
    def page_of_live_payloads(self, folder: Path) -> Path:
        """Write a page on which nothing is escaped: what a browser does with it is what must not happen elsewhere."""
        page = Path(folder) / "live.html"
        page.write_text(f"<!DOCTYPE html><title>x</title><body>{''.join(self.payloads.values())}</body>", encoding="utf-8")
        return page

    @keyword
    def forget_visitors(self) -> None:
        self.visitors.clear()

    @keyword
    def end_injected(self) -> None:
        self.model.__exit__(None, None, None)
        self._tracker.shutdown()
        self._tracker.server_close()

    def _suite(self, commits: int) -> str:
        name_of_suite = " ".join(map(self._cell, ("script", "robot's link", "robot's image")))
        lines = ["*** Settings ***", f"Name    {name_of_suite}", "", "*** Test Cases ***"]
        for number, name in enumerate(FAMILIES):
            cell = self._cell(name)
            lines += [f"T{number} {cell}", f"    [Tags]    {cell}", f"    Log    {cell}    WARN"]
            lines += [f"    Fail    The gizmo of family <{name}> was not amused: {cell}", ""]
            lines += [f"K{number} {cell}", f"    Fail    The widget of family <{name}> is refused", ""]
        return "\n".join([*lines, f"# changed {commits} times", ""])

    def _cell(self, name: str) -> str:
        return escape(_in_one_line(self.payloads[name]))


def _in_one_line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())


def _counting(visitors: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visitors.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the name http.server looks for

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler
