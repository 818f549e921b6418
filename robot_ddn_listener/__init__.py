"""Every failing Robot Framework test explains itself in its own log.html and report.html.

robot --listener robot_ddn_listener tests/
pabot --listener robot_ddn_listener --prerebotmodifier robot_ddn_listener.Attach tests/
"""

from typing import Any

from .version import VERSION

__version__ = VERSION

__all__ = ["Attach", "__version__", "robot_ddn_listener"]


def __getattr__(name: str) -> Any:  # PEP 562: importing the package costs nothing until Robot takes the listener into use
    if name == "robot_ddn_listener":
        from .listener import DdnListener

        return DdnListener
    if name == "Attach":
        from .modifier import Attach

        return Attach
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
