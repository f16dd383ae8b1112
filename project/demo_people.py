"""The demo county's families: invented, the same every time, and valid in every field.

Every ID number is of division 130499, which is not assigned, so that nobody real is meant.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from approvals.organisations.models import Organisation, SchoolForm
from approvals.people.enrolment import Family, Parent, Pupil

SEED = 130431
DIVISION = "130499"
THIS_AUTUMN = 2026

SURNAMES = (
    "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范"
    "方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
FREQUENT = 12
"""The first surnames, which a third of the families bear."""
BOYS = "伟强磊军洋勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯俊帆帅旭宁航旺翔峰阳博轩子涵睿泽晨豪佳文昊天嘉诚铭一诺辰逸奕霖"
GIRLS = "芳娜敏静丽艳娟霞秀燕玲红英雪琳晶颖婷洁雯玉欣怡佳悦萌倩蕾薇梦菲雅诗涵思萱语桐若曦可馨梓妍彤一诺苗禾心怡"
WITH_DOT = ("阿依古丽·买买提", "迪丽娜尔·吐尔逊", "古丽米热·艾合买提", "艾力·吐尔洪", "卓玛·才仁", "苏和·巴特尔")
RARE = ("𠮷", "䶮", "㛃")
"""Characters beyond the common ones, one of them beyond the BMP; systems lose them."""
EVERY_DOTTED, EVERY_RARE = 211, 307

PRIMARY = ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级")
JUNIOR = ("七年级", "八年级", "九年级")
GRADES: dict[str, tuple[tuple[int, str], ...]] = {
    "primary": tuple(enumerate(PRIMARY, 1)),
    "junior": tuple(enumerate(JUNIOR, 7)),
    "senior": tuple(enumerate(("高一", "高二", "高三"), 10)),
    "voc": tuple(enumerate(("中职一年级", "中职二年级", "中职三年级"), 10)),
    "special": tuple(enumerate(PRIMARY + JUNIOR, 1)),
}
"""Grades by stage, each with the year of schooling it is."""
SHARE = {"primary": 0.55, "junior": 0.24, "senior": 0.12, "voc": 0.08, "special": 0.01}
"""Of all pupils, about as in the county (DOMAIN.md §5.2)."""
WEIGHT = {
    SchoolForm.COUNTY_DIRECT: 6.0, SchoolForm.CENTRAL: 6.0, SchoolForm.VILLAGE: 2.0, SchoolForm.TEACHING_POINT: 0.6,
}  # fmt: skip
"""How large schools are beside each other within a stage; others weigh `OTHER_WEIGHT`."""
OTHER_WEIGHT = 4.0
CLASS_SIZE = 45

POOR_SHARE = 0.08
CATEGORIES = {
    "lifted_household": 46, "dibao": 24, "monitored_marginal": 10, "monitored_unstable": 8, "monitored_sudden": 6,
    "tekun": 6,
}  # fmt: skip
"""Of the households on the register of poor households, in percent (DOMAIN.md §2.1)."""
IN_COUNTY_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in a class."""

    school: Organisation
    stage: str
    year: int
    grade: str
    class_name: str
    boarder: bool


class Listed(NamedTuple):
    """Under what a household is on the register of poor households, and whether in this county."""

    category: str
    in_county: bool


class Numbers:
    """ID numbers that nobody has. Order codes are given from both ends of a day, which few invented lists use."""

    def __init__(self) -> None:
        self.given: dict[tuple[date, str], int] = defaultdict(int)

    def next(self, born: date, sex: str) -> str:
        place = (born, sex)
        order = 999 - 2 * self.given[place] if sex == "M" else 2 * self.given[place]
        self.given[place] += 1
        if not 0 <= order <= 999:
            raise ValueError(f"more than 500 people of one sex born on {born}")
        stem = f"{DIVISION}{born:%Y%m%d}{order:03d}"
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        total = sum(weight * int(digit) for weight, digit in zip(weights, stem, strict=True))
        return stem + "10X98765432"[total % 11]


def seats(schools: list[Organisation], count: int) -> list[Seat]:
    """`count` places over the schools, by stage and size, in classes of at most `CLASS_SIZE`."""
    found: list[Seat] = []
    for stage, pupils in _split(count, SHARE).items():
        teaching = {school.pk: school for school in schools if stage in school.stages}
        weights = {key: WEIGHT.get(school.form, OTHER_WEIGHT) for key, school in teaching.items()}
        for key, of_school in _split(pupils, weights).items():
            found += _seats_of(teaching[key], stage, of_school)
    return found


def _seats_of(school: Organisation, stage: str, count: int) -> Iterator[Seat]:
    grades = GRADES[stage][:3] if school.form == SchoolForm.TEACHING_POINT else GRADES[stage]
    for (year, grade), of_grade in _split(count, dict.fromkeys(grades, 1.0)).items():
        classes = max(1, -(-of_grade // CLASS_SIZE))
        for number in range(of_grade):
            boards = school.boarding and number % 20 < _boarders_in_twenty(stage, year)
            yield Seat(school, stage, year, grade, f"{number % classes + 1}班", boards)


def _boarders_in_twenty(stage: str, year: int) -> int:
    if stage == "primary":
        return 8 if year >= 3 else 3
    return {"junior": 12, "senior": 17, "voc": 16, "special": 14}[stage]


def _split(count: int, weights: dict) -> dict:
    """`count` in whole parts by weight; the parts add up to it."""
    parts, taken, passed, total = {}, 0, 0.0, sum(weights.values())
    for key, weight in weights.items():
        passed += weight
        until = round(count * passed / total)
        parts[key] = until - taken
        taken = until
    return parts


class County:
    """Makes the families that fill the seats; the same seed makes the same families."""

    def __init__(self, schools: list[Organisation], villages: dict[str, list[str]], seed: int = SEED) -> None:
        self.schools = schools
        self.villages = villages
        """Village names by office path of the township; under "" for the pupils of county-direct schools."""
        self.random = random.Random(seed)  # noqa: S311  nothing here is secret
        self.numbers = Numbers()
        self.families_made = 0
        self.pupils_made = 0

    def families(self, count: int) -> Iterator[tuple[Family, Listed | None]]:
        """Families with `count` pupils in all, each with what the register of poor households says of it.

        Brothers and sisters go to schools of one township, or of the county.
        """
        by_area: dict[str, list[Seat]] = defaultdict(list)
        for seat in seats(self.schools, count):
            by_area[self._area(seat.school)].append(seat)
        for area in sorted(by_area):
            waiting = by_area[area]
            self.random.shuffle(waiting)
            while waiting:
                yield self._family(area, self._siblings(waiting)), self._poverty()

    def _area(self, school: Organisation) -> str:
        above = school.path[: -Organisation.steplen]
        return above if above in self.villages else ""

    def _siblings(self, waiting: list[Seat]) -> list[Seat]:
        """The seats of one family's children, of different years of schooling."""
        wanted = self.random.choices((1, 2, 3), weights=(60, 33, 7))[0]
        taken = [waiting.pop()]
        for at in range(len(waiting) - 1, max(-1, len(waiting) - 12), -1):
            if len(taken) == wanted:
                break
            if all(abs(waiting[at].year - seat.year) >= 2 for seat in taken):
                taken.append(waiting.pop(at))
        return taken

    def _family(self, area: str, places: list[Seat]) -> Family:
        self.families_made += 1
        surname = self._surname()
        births = [self._birthday(seat) for seat in places]
        parents = self._parents(surname, min(births))
        pupils = [self._pupil(surname, seat, born) for seat, born in zip(places, births, strict=True)]
        others = self.random.choices((0, 1, 2), weights=(55, 30, 15))[0]
        return Family(
            number=f"{DIVISION}{self.families_made:08d}",
            village=self.random.choice(self.villages[area]),
            size=len(pupils) + 2 + others,
            parents=parents,
            pupils=pupils,
        )

    def _pupil(self, surname: str, seat: Seat, born: date) -> Pupil:
        self.pupils_made += 1
        sex = self.random.choice("MF")
        return Pupil(
            name=self._name(surname, sex),
            id_number=self.numbers.next(born, sex),
            school=seat.school.pk,
            stage=seat.stage,
            grade=seat.grade,
            class_name=seat.class_name,
            boarder=seat.boarder,
        )

    def _name(self, surname: str, sex: str) -> str:
        if self.pupils_made % EVERY_DOTTED == 0:
            return self.random.choice(WITH_DOT)
        if self.pupils_made % EVERY_RARE == 0:
            return surname + self.random.choice(RARE)
        return surname + self._given_name(sex)

    def _given_name(self, sex: str) -> str:
        letters = BOYS if sex == "M" else GIRLS
        return "".join(self.random.choices(letters, k=self.random.choices((1, 2), weights=(35, 65))[0]))

    def _surname(self) -> str:
        return self.random.choice(SURNAMES[:FREQUENT] if self.random.random() < 0.35 else SURNAMES)

    def _birthday(self, seat: Seat) -> date:
        """Six on the last of August of the year that first grade begins; some start or repeat a year later."""
        late = {"voc": 0.2, "special": 0.4}.get(seat.stage, 0.06)
        year = THIS_AUTUMN - 6 - seat.year - (self.random.random() < late)
        return date(year, 9, 1) + timedelta(days=self.random.randrange(365))

    def _parents(self, surname: str, eldest: date) -> list[Parent]:
        """Father or mother answers for the children, for some both."""
        sexes = self.random.choices(("M", "F", "MF"), weights=(45, 35, 20))[0]
        return [
            Parent(
                name=(surname if sex == "M" else self._surname()) + self._given_name(sex),
                id_number=self.numbers.next(eldest - timedelta(days=self.random.randint(21 * 365, 38 * 365)), sex),
                phone=f"1390000{self.random.randrange(10_000):04d}",
            )
            for sex in sexes
        ]

    def _poverty(self) -> Listed | None:
        if self.random.random() >= POOR_SHARE:
            return None
        category = self.random.choices(list(CATEGORIES), weights=list(CATEGORIES.values()))[0]
        return Listed(category, self.random.random() < IN_COUNTY_SHARE)
