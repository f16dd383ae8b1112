from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import CommandParser
from django.utils import translation
from viewflow.workflow import chart

from project.management import LANGUAGES, DoorCommand
from project.templatetags.zhuxue import step_name
from workflows.versions import route_named, route_names

WRITERS = {"svg": chart.grid_to_svg, "bpmn": chart.grid_to_bpmn}


class Command(DoorCommand):
    help = "Prints the route of a kind of case as a diagram (SVG) or a BPMN 2.0 model, for administrators and the docs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=route_names(), help="the kind of case, with its version after the first")
        parser.add_argument("--format", choices=sorted(WRITERS), default="svg")
        parser.add_argument("--lang", choices=LANGUAGES, default="zh", help="language of its labels")

    def handle(self, *, kind: str, format: str, lang: str, **options: Any) -> None:
        flow = route_named(kind)
        with translation.override(LANGUAGES[lang]), named(flow):
            self.stdout.write(WRITERS[format](chart.calc_layout_data(flow)))


@contextmanager
def named(flow: Any) -> Iterator[None]:
    """Gives the steps the names that people know; viewflow would make English ones from the code."""
    titles = {node: node.task_title for node in flow.instance.nodes()}
    for node in titles:
        node.task_title = step_name(node.name)
    try:
        yield
    finally:
        for node, title in titles.items():
            node.task_title = title
