"""Stand-ins for libraries that are not installed here: keywords log what they do, and some calls end as a script says.

`endings` maps a keyword and its first argument to what is raised, or to a list of log messages followed by what is raised. What is
raised has the type name and the wording that the real library, or the program behind it, uses.
"""

from robot.api import logger


def error(name, text):
    """Return an exception whose type is called `name`."""
    return type(name, (Exception,), {})(text)


class Scripted:
    def __init__(self, endings, others=()):
        self._endings = endings
        self._names = sorted({name for name, _ in endings} | set(others))

    def get_keyword_names(self):
        return self._names

    def run_keyword(self, name, args):
        *messages, ending = self._ending(name, args)
        for message in messages:
            level, _, text = message.partition(": ")
            logger.write(text, level)
        if isinstance(ending, Exception):
            raise ending
        return ending

    def _ending(self, name, args):
        found = self._endings.get((name, args[0] if args else ""))
        return found if isinstance(found, list) else [found]
