"""An authority of a test's own, and what it certifies: a server on 127.0.0.1."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

# As Python asks for from 3.13 on, which checks certificates strictly.
_AUTHORITY = ["-subj", "/CN=authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
_EXTENSIONS = "subjectAltName=IP:127.0.0.1\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


@dataclass(frozen=True)
class Certificates:
    """`authority` is what clients have to be told."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def server_options(self) -> list[str]:
        """Options of redis-server; its port is given by --tls-port."""
        files = {"cert": self.certificate, "key": self.key, "ca-cert": self.authority}
        return [word for name, file in files.items() for word in (f"--tls-{name}-file", str(file))] + ["--tls-auth-clients", "no"]


def make_certificates(place: Path) -> Certificates:
    """Make them with openssl, which must be there."""
    authority, authority_key = place / "ca.pem", place / "ca.key"
    made = Certificates(authority, place / "server.pem", place / "server.key")
    _openssl("req", "-x509", *_NEW_KEY, *_AUTHORITY, "-keyout", authority_key, "-out", authority)
    _openssl("req", *_NEW_KEY, "-subj", "/CN=server", "-keyout", made.key, "-out", place / "server.csr")
    (place / "names").write_text(_EXTENSIONS)
    signed_by = ["-CA", authority, "-CAkey", authority_key, "-CAcreateserial", "-days", "2", "-extfile", place / "names"]
    _openssl("x509", "-req", "-in", place / "server.csr", *signed_by, "-out", made.certificate)
    return made


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)
