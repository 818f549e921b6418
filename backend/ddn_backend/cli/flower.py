"""`ddn flower`: Flower over the queue, with our settings."""

from pathlib import Path

import click

from ..ops.running import addresses
from ..ops.running.endpoint import with_redis
from ..ops.running.flower_view import check_access
from ..ops.running.redis_check import check_redis
from ..settings import load, read_dotenv


@click.command("flower")
@click.option("--read-only", is_flag=True, help="For viewers: nothing can be changed.")
@click.option("--address", help="Address to listen on; else DDN_FLOWER_ADDRESS, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; else FLOWER_PORT, else 5555.")
def flower_command(read_only: bool, address: str | None, port: int | None) -> int:
    """Run Flower, the operators' window, in the foreground.

    FLOWER_USER and FLOWER_PASSWORD make it ask for them. Its buttons work only with them.
    """
    read_dotenv(Path.cwd())
    settings = with_redis(load())
    address = settings.flower_address if address is None else address
    port = settings.flower_port if port is None else port
    check_access(address, has_login=bool(settings.flower_user))
    addresses.check_free(address, port, "Flower", "Set FLOWER_PORT to another one.")
    check_redis(settings.redis_url)

    from ..app import FLOWER_CONFIGURATION, command_line_app

    options = [f"--conf={FLOWER_CONFIGURATION}", f"--address={address}", f"--port={port}", *(["--read-only"] if read_only else [])]
    return int(command_line_app().start(["-q", "flower", *options]) or 0)
