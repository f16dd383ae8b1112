"""`python -m tests.bench [pytest's options]`: measures, and says what each number should reach.

The figures of this run are merged into build/bench.json, so that a part may be measured alone:

    python -m tests.bench tests/bench/test_decide.py -k one
"""

import json
import sys

import pytest

from tests.bench.results import FILE

GOALS = {
    "bulk_vs_viewflow": (">=", 80, "10,000 in one action, times as fast as stock viewflow"),
    "bulk_vs_bare_sql": ("<=", 12, "10,000 in one action, times one bare SQL statement"),
    "single_vs_viewflow": (">=", 4, "one decision, times as fast as stock viewflow"),
    "bulk_checked_vs_viewflow": (">=", 60, "the same with recusals, levels, freezes and panels there to be checked"),
    "single_checked_vs_viewflow": (">=", 3, "one decision with all of them"),
    "single_checked_statements": ("<=", 12, "SQL statements of that decision"),
    "single_statements": ("<=", 8, "SQL statements of one decision"),
    "import_50k_s": ("<=", 45, "seconds to import 50,000 rows"),
    "import_50k_mb": ("<=", 700, "megabytes meanwhile"),
    "preview_20k_s": ("<=", 10, "seconds to preview 20,000 rows"),
    "match_100k_s": ("<=", 60, "seconds to match a term, 100,000 applications, seven lists of 100,000 rows"),
    "queue_100k_statements": ("<=", 10, "SQL statements of a queue's first page, 100,000 open tasks"),
    "queue_100k_sql_ms": ("<=", 15, "milliseconds of SQL of that page"),
    "queue_1m_first_ms": ("<=", 20, "milliseconds of SQL of a first page, 1,000,000 open tasks; each view"),
    "queue_1m_next_ms": ("<=", 20, "milliseconds of SQL of the next page"),
    "queue_1m_name_ms": ("<=", 20, "milliseconds of SQL of a search by the beginning of a name"),
    "queue_1m_statements": ("<=", 10, "SQL statements of each of these pages"),
    "queue_1m_html_kb": ("<=", 150, "kilobytes of HTML of a page of fifty rows"),
    "verify_1m_s": ("<=", 60, "seconds to prove a record of 1,000,000 lines"),
    "notice_close_200k_s": ("<=", 40, "seconds to close 1,000 notices that come due at once, 200,000 lines"),
    "notice_publish_50k_s": ("<=", 10, "seconds to publish a notice of 50,000 lines, its first page read"),
    "notice_pdf_50k_s": ("<=", 90, "seconds to set a list of 50,000 lines as one PDF, in the background"),
    "notice_pdf_50k_mb": ("<=", 600, "megabytes meanwhile"),
    "public_notice_vs_static": (">=", 0.5, "a notice of 200 pupils, kept or unchanged, to a static file of its size"),
    "public_notice_uncached_vs_template": (">=", 2, "the same made anew, to a plain Django page of 50 rows"),
    "batch_build_100k_s": ("<=", 30, "seconds to make a batch of 100,000 payments and hand it on, with every guard"),
    "bank_out_100k_s": ("<=", 20, "seconds to write it for the bank and move its cases"),
    "bank_in_100k_s": ("<=", 30, "seconds to book the bank's answer to all of them"),
    "bank_100k_mb": ("<=", 500, "megabytes of the process meanwhile"),
    "queue_1m_made_s": ("<=", 180, "seconds to make the million"),
}


def main(arguments: list[str]) -> int:
    """Runs the benchmarks; the exit status is pytest's."""
    chosen = [each for each in arguments if each.startswith("tests/")] or ["tests/bench"]
    options = [each for each in arguments if not each.startswith("tests/")]
    status = pytest.main(["-m", "bench", "-q", "-s", "-p", "no:randomly", *options, *chosen])
    found = json.loads(FILE.read_text()) if FILE.exists() else {}
    print()
    for key, (sign, goal, meaning) in GOALS.items():
        value = found.get(key)
        reached = value is not None and (value >= goal if sign == ">=" else value <= goal)
        shown = "not measured" if value is None else f"{value} {'' if reached else '(missed)'}"
        print(f"{key:26} {sign} {goal:<5} {shown:<16} {meaning}")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
