"""Where measurements go: build/bench.json, one flat object."""

import json
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "build" / "bench.json"


def note(**values: float) -> None:
    """Adds measurements to those of the other benchmarks."""
    FILE.parent.mkdir(exist_ok=True)
    kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    FILE.write_text(json.dumps(kept | values, indent=2, sort_keys=True) + "\n")
