"""A small library of the team's own, with the mistakes that Python code in such libraries has."""

import datetime
import inspect
import json
from typing import Literal


def order_total(items):
    return sum(item["price"] for item in items) + "EUR"


def first_order(orders):
    return orders[0]


def customer_of(order):
    return order["customer"]


def find_customer(name):
    return {"ann": "Ann Example"}.get(name)


def greeting_for(name):
    return "Dear " + find_customer(name).title()


def sort_mixed():
    return sorted([3, {"amount": 2}, 1])


def order_as_json():
    return json.dumps({"colours": {"red", "green"}})


def parse_price(text):
    return int(text)


def read_price(text):
    return float(text)


def read_letter():
    return b"Gr\xfc\xdfe".decode("utf-8")


def write_letter():
    return "Grüße".encode("ascii")


def parse_day(text):
    return datetime.datetime.strptime(text, "%Y-%m-%d")


def walk(category):
    return walk(category)


def arguments_of(function):
    return inspect.getargspec(function)


def import_moved_name():
    from collections import Mapping  # noqa: F401, UP035


def open_page(url, *, timeout):
    return url, timeout


def open_page_as_before(url):
    return open_page(url, executable_path="/usr/bin/driver")


def compile_broken_code():
    compile("if ready\n    start()\n", "shop_steps.py", "exec")


def compile_badly_indented_code():
    compile("def start():\nreturn 1\n", "shop_steps.py", "exec")


def wait_for_parcel(time: datetime.timedelta):
    return time


def reserve_seats(row: Literal["front", "back"]):
    return row
