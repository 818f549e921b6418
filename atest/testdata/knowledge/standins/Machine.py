"""What the operating system, containers and programs say when something on the machine is wrong."""

import errno
import os
import subprocess

from scripted import Scripted, error


def _system(number, path=None):
    text = os.strerror(number)
    return OSError(number, text, path) if path else OSError(number, text)


ENDINGS = {
    ("Write Report", "/var/lib/app/report.bin"): _system(errno.ENOSPC, "/var/lib/app/report.bin"),
    ("Unpack Image", "webshop"): error("RuntimeError", "tar: ./rootfs/usr: Cannot mkdir: No space left on device"),
    ("Write Report", "/app/out"): _system(errno.EROFS, "/app/out"),
    ("Read Log", "/var/log/audit.log"): _system(errno.EACCES, "/var/log/audit.log"),
    ("Open Sockets", "2000"): _system(errno.EMFILE, "/run/shop/1021.sock"),
    # A MemoryError in Robot's own process ends the whole run, so it shows in the output of another program.
    ("Load Table", "orders"): error(
        "RuntimeError", 'load_orders ended:\n  File "load.py", line 31, in read_all\n    rows.extend(page)\nMemoryError'
    ),
    ("Start Worker", "4 GB"): _system(errno.ENOMEM),
    ("Build Frontend", "shop"): error(
        "RuntimeError",
        "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory",
    ),
    ("Start Service", "3000"): OSError(
        errno.EADDRINUSE, "error while attempting to bind on address ('0.0.0.0', 3000): address already in use"
    ),
    ("Start Service", "node"): error("RuntimeError", "Error: listen EADDRINUSE: address already in use 0.0.0.0:4200"),
    ("Ping", "198.51.100.1"): _system(errno.ENETUNREACH),
    ("Run Tool", "importer"): subprocess.CalledProcessError(137, ["importer", "--all"]),
    ("Run Tool", "exporter"): subprocess.CalledProcessError(3, ["exporter", "--all"]),
    ("Run Tool", "migrate"): subprocess.TimeoutExpired(["migrate", "--wait"], 45),
    ("Run Tool", "arm-binary"): _system(errno.ENOEXEC, "./arm-binary"),
    ("Run Tool", "new-glibc"): error(
        "RuntimeError", "./tool: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by ./tool)"
    ),
    ("Compose Up", "shop"): error(
        "DockerException",
        "Error while fetching server API version: ('Connection aborted.', FileNotFoundError(2, 'No such file or directory'))",
    ),
    ("Docker Run", "postgres:16"): error(
        "RuntimeError",
        "docker: Cannot connect to the Docker daemon at unix:///run/user/1001/docker.sock. Is the docker daemon running?",
    ),
    ("Kubectl", "get pods"): error(
        "RuntimeError", "The connection to the server 192.0.2.49:6443 was refused - did you specify the right host or port?"
    ),
    ("Read Settings", "BASE_URL"): error("RuntimeError", "Environment variable 'BASE_URL' does not exist."),
    ("Download", "updates.example"): _system(errno.ETIMEDOUT),
    ("Send", "queue"): _system(errno.EPIPE),
}


class Machine(Scripted):
    def __init__(self):
        super().__init__(ENDINGS)
