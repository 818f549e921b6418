"""The team's own library for its shop, and the shop itself: some mistakes are in the one, some in the other."""

import json
import os


def price_of(item):
    prices = {"tea": "3.50", "cup": "7.00"}
    return float(prices[item])


def order(item, quantity):
    return {"item": item, "quantity": quantity, "total": price_of(item) * int(quantity)}


def order_as_json(item):
    return json.loads(f"{item}: 1")


def discount(total):
    return _product_discount(total)


def _product_discount(total):
    rates = [0.05, 0.1]
    return total * rates[2]


def invoice_for(customer):
    return customer.address.upper()


def connect(url, *, timeout):
    return url, timeout


def connect_as_before(url):
    return connect(url, retries=3)


def read_settings(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def checkout(basket):
    raise RuntimeError(f"ShopError: NullPointerException in com.example.shop.Basket.total(Basket.java:88) for basket {basket}")


def write_report(path, errno: int):
    """Fail as writing a file, or taking a port or memory for it, does with that error number."""
    raise OSError(errno, os.strerror(errno), path)
