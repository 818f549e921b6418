"""Stand-in for SSHLibrary (paramiko)."""

from scripted import Scripted, error

_ENDINGS = {
    ("Open Connection", "build-7"): error("NoValidConnectionsError", "[Errno None] Unable to connect to port 22 on 10.20.0.17"),
    ("Login", "deploy"): RuntimeError("Authentication failed for user 'deploy'."),
    ("Execute Command", "df -h /data"): ["INFO: stdout: /dev/sdb1  200G  200G  0 100% /data", "1"],
    ("Put File", "build.tar.gz"): error("OSError", "[Errno 28] No space left on device"),
}


class SSHLibrary(Scripted):
    def __init__(self):
        super().__init__(_ENDINGS)
