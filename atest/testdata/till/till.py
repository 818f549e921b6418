"""The product under test."""

import os

IN_THE_TILL = 10


def pay(amount: int) -> None:
    """Take money out of the till."""
    if amount > int(os.environ.get("IN_THE_TILL", IN_THE_TILL)):
        raise ArithmeticError("The till has too little money in it.")
