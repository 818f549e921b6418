"""Stand-ins for libraries that the tests do not install: their keywords log what they do and end as a script says.

What is raised has the type name and the text that the real library, or the program behind it, gives.
"""

from robot.api import logger


def error(name, text):
    """Return an exception whose type is called `name`."""
    return type(name, (Exception,), {})(text)


class Scripted:
    """`endings` maps a keyword's name and its first argument to what is raised; every other call succeeds."""

    def __init__(self, endings, keywords=()):
        self._endings = endings
        self._names = sorted({name for name, _ in endings} | set(keywords))

    def get_keyword_names(self):
        return self._names

    def run_keyword(self, name, args):
        logger.info(f"{name}: {', '.join(map(str, args))}")
        ending = self._endings.get((name, args[0] if args else ""))
        if ending is not None:
            raise ending
