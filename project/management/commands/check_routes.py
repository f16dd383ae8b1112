import json
from typing import Any

from django.core.management import CommandParser
from django.db.models import Count
from viewflow.workflow.fields import get_flow_ref

from project.management import DoorCommand
from workflows.checks import faults_of, lost_steps
from workflows.models import Case
from workflows.versions import our_flows


class Command(DoorCommand):
    help = "Checks every version of every route: its edges, its states, and that no open task has lost its step."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as one JSON object")

    def handle(self, *, json: bool, **options: Any) -> None:
        cases = dict(Case.objects.filter(finished=None).values_list("flow_class").annotate(Count("pk")).order_by())
        routes = [
            {
                "kind": flow.kind,
                "version": flow.version,
                "open_cases": cases.get(get_flow_ref(flow), cases.get(flow, 0)),
                "faults": [error.msg for error in faults_of(flow)],
            }
            for flow in sorted(our_flows(), key=lambda flow: (flow.kind, flow.version))
        ]
        lost = lost_steps()
        self.stdout.write(_as_json(routes, lost) if json else _as_text(routes, lost))
        if lost or any(route["faults"] for route in routes):
            raise SystemExit(1)


def _as_json(routes: list[dict[str, Any]], lost: list[str]) -> str:
    return json.dumps({"routes": routes, "lost": lost}, ensure_ascii=False)


def _as_text(routes: list[dict[str, Any]], lost: list[str]) -> str:
    lines = []
    for route in routes:
        lines.append(f"{route['kind']} {route['version']}: {route['open_cases']} open, {len(route['faults'])} faults")
        lines += [f"  {fault}" for fault in route["faults"]]
    return "\n".join([*lines, *(f"tasks are open on {ref}, which no longer exists" for ref in lost)])
