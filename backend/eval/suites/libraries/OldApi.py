from collections import Mapping  # noqa: F401, UP035


def merge(first, second):
    return {**first, **second}
