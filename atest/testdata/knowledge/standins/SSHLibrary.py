"""Stand-in for SSHLibrary, with the messages of the library, paramiko and OpenSSH."""

from scripted import Scripted, error

KEYWORDS = ("Open Connection", "Write")
ENDINGS = {
    ("Login", "deploy"): RuntimeError("Authentication failed for user 'deploy'."),
    ("Login With Public Key", "backup"): RuntimeError("Login with public key failed for user 'backup'."),
    ("Login With Public Key", "build"): error("SSHException", "encountered RSA key, expected OPENSSH key"),
    ("Login With Public Key", "cloud"): error("SSHException", "not a valid EC private key file"),
    ("Login", "fresh-vm"): error("SSHException", "Error reading SSH protocol banner"),
    ("Read Until Prompt", ""): RuntimeError("No match found for '~]$ ' in 5 seconds\nOutput:\nLast login: Mon\n[root@db ~]# ."),
    ("Login", "switch-admin"): error("IncompatiblePeer", "Incompatible ssh server (no acceptable macs)"),
    ("Put File", "dist/app.tar.gz"): RuntimeError("There are no source files matching 'dist/app.tar.gz'."),
    ("Put Directory", "build/site"): RuntimeError("There was no source path matching 'build/site'."),
    ("Execute Command", "uptime"): RuntimeError("Connection not open"),
    ("Login", "operator"): error("NoValidConnectionsError", "[Errno None] Unable to connect to port 2222 on 192.0.2.44"),
}


class SSHLibrary(Scripted):
    def __init__(self):
        super().__init__(ENDINGS, KEYWORDS)
