"""A server that speaks MongoDB's protocol, and all that it holds."""

import importlib.util
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import bson
from conditions import PATIENCE_SECONDS, missing
from pymongo import MongoClient
from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn


@library(scope="SUITE")
class Mongo:
    """One server for each suite that wants one; `End Mongo` ends it."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[bytes] | None = None

    @keyword
    def start_mongo(self) -> str:
        """Start a server, and return the URL of a database there."""
        if not importlib.util.find_spec("nx_27017"):
            raise missing("nx-27017")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        suite = BuiltIn().get_variable_value("${SUITE NAME}").rpartition(".")[2]
        place = Path(BuiltIn().get_variable_value("${OUTPUT DIR}"), suite.lower(), "mongo")
        place.mkdir(parents=True, exist_ok=True)
        options = ["--data-dir", "memory", "--host", "127.0.0.1", "--port", str(port)]
        options += ["--log-file", str(place / "log"), "--pid-file", str(place / "pid")]
        command = [sys.executable, "-W", "ignore", "-m", "nx_27017.nx_27017", *options]
        with (place / "said").open("wb") as said:
            self._server = subprocess.Popen(command, cwd=place, stdout=said, stderr=said)
        url = f"mongodb://127.0.0.1:{port}/checked?serverSelectionTimeoutMS={PATIENCE_SECONDS * 1000:.0f}"
        with MongoClient[dict[str, Any]](url) as client:
            client.admin.command("ping")
        return url

    @keyword
    def all_documents_in_mongo(self, url: str) -> bytes:
        """Return every document as it goes over the wire."""
        with MongoClient[dict[str, Any]](url) as client:
            database = client.get_default_database()
            names = database.list_collection_names()
            return b"\n".join(bson.encode(document) for name in names for document in database[name].find())

    @keyword
    def end_mongo(self) -> None:
        if self._server:
            self._server.terminate()
            self._server.wait(PATIENCE_SECONDS)
