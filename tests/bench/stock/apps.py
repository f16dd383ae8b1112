from django.apps import AppConfig


class StockConfig(AppConfig):
    """The rival: the same trade on viewflow as it comes. Only benchmarks install it."""

    name = "tests.bench.stock"
    label = "stock"
