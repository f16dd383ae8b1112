"""Writes fixtures/calendar/<year>.yaml from the chinesecalendar package: `python tools/seed_calendar.py 2016 2026`.

For the developer who adds a year once the State Council has published it. The dates come from the package and are
to be compared with the notice; the notice's number stands below. The product reads the files, never the package.
"""

import sys
from collections import defaultdict
from datetime import date
from pathlib import Path

from chinese_calendar import constants

NUMBERS = {
    2016: "国办发明电〔2015〕18号",
    2017: "国办发明电〔2016〕17号",
    2018: "国办发明电〔2017〕12号",
    2019: "国办发明电〔2018〕15号、〔2019〕3号",
    2020: "国办发明电〔2019〕16号、〔2020〕1号",
    2021: "国办发明电〔2020〕27号",
    2022: "国办发明电〔2021〕11号",
    2023: "国办发明电〔2022〕16号",
    2024: "国办发明电〔2023〕7号",
    2025: "国办发明电〔2024〕12号",
    2026: "国办发明电〔2025〕7号",
}
COMPARED = {2025, 2026}
"""Years whose dates were compared with a reprint of the notice's full text."""
NAMES = {holiday.value: holiday.chinese for holiday in constants.Holiday} | {
    "Tomb-sweeping Day": "清明节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
}
FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "calendar"


def days_by_name(days: dict[date, str], year: int) -> dict[str, list[date]]:
    found: dict[str, list[date]] = defaultdict(list)
    for day, name in sorted(days.items()):
        if day.year == year:
            found[NAMES[name]].append(day)
    return found


def text(year: int) -> str:
    checked = "compared with a reprint of the notice" if year in COMPARED else "not compared with the notice itself"
    lines = [
        f"# Dates from the package chinesecalendar, {checked}; the notice's number",
        "# from several reprints. Days of the year before or after that a notice also names stand in that year's file.",
        f"year: {year}",
        f"source: 国务院办公厅关于{year}年部分节假日安排的通知（{NUMBERS[year]}）",
    ]
    for key, days in (("holidays", constants.holidays), ("makeup_days", constants.workdays)):
        lines.append(f"{key}:")
        for name, found in days_by_name(days, year).items():
            lines.append(f"  - {{name: {name}, days: [{', '.join(day.isoformat() for day in found)}]}}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    first, last = map(int, sys.argv[1:])
    for year in range(first, last + 1):
        (FOLDER / f"{year}.yaml").write_text(text(year), encoding="utf-8")
