"""Programmes are written by files: loading one that changed makes a new version and touches no older one."""

from datetime import date
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.db import transaction

from approvals.organisations import queries as organisations
from approvals.programmes.definition import DefinitionError, ProgrammeFile, digest_of, read_file
from approvals.programmes.models import Programme, ProgrammeVersion, Quota, Rate, Window
from workflows import record
from workflows.actors import SYSTEM


def load_programmes(folder: Path | None = None) -> list[str]:
    """Loads `fixtures/programmes/*.yaml`; returns "code version" of what is new. Idempotent.

    A file whose rules or rates changed becomes a new version, which later applications take; a case keeps the
    version it pinned. Windows follow the file. Raises DefinitionError, and then nothing is loaded.
    """
    folder = folder or Path(settings.BASE_DIR) / "fixtures" / "programmes"
    files = [read_file(path) for path in sorted(folder.glob("*.yaml"))]
    _agree(files)
    with transaction.atomic():
        return [label for file in files for label in _load(file)]


def _agree(files: list[ProgrammeFile]) -> None:
    """Refuses one code in two files, and one group under two names or that excludes others for two spans of time."""
    codes: set[str] = set()
    names: dict[str, tuple[str, str]] = {}
    spans: dict[str, str] = {}
    for file in files:
        if file.code in codes:
            raise DefinitionError(f"{file.code}: two files define this programme")
        codes.add(file.code)
        name = (file.group_name, file.group_name_en)
        if names.setdefault(file.group, name) != name:
            raise DefinitionError(f"{file.code}: group_name: {file.group} is called otherwise in another file")
        if spans.setdefault(file.group, file.award.exclusive) != file.award.exclusive:
            raise DefinitionError(f"{file.code}: award.exclusive: {file.group} has another one in another file")


def _load(file: ProgrammeFile) -> list[str]:
    programme, _ = Programme.objects.update_or_create(
        code=file.code,
        defaults={"name": file.name, "name_en": file.name_en, "group": file.group, "order": file.order},
    )
    # One loader at a time: two would both take the next number.
    versions = ProgrammeVersion.objects.filter(programme=Programme.objects.select_for_update().get(pk=file.code))
    Window.objects.bulk_create(
        [
            Window(programme=programme, term=window.term, opens_on=window.opens_on, closes_on=window.closes_on)
            for window in file.windows
        ],
        update_conflicts=True,
        unique_fields=["programme", "term"],
        update_fields=["opens_on", "closes_on"],
    )
    Window.objects.filter(programme=programme).exclude(term__in=[window.term for window in file.windows]).delete()

    definition = file.definition()
    digest = digest_of(definition)
    newest = versions.order_by("-number").first()
    if newest is not None and newest.digest == digest:
        return []
    version = _new_version(programme, definition, digest, (newest.number if newest else 0) + 1)
    Rate.objects.bulk_create(
        Rate(
            version=version,
            first_term=rate.first_term,
            stage=rate.stage,
            tier=rate.tier,
            amount=rate.amount,
            source=rate.source,
        )
        for rate in file.rates
    )
    return [f"{file.code} {version.number}"]


def _new_version(programme: Programme, definition: dict[str, Any], digest: str, number: int) -> ProgrammeVersion:
    version = ProgrammeVersion.objects.create(programme=programme, number=number, definition=definition, digest=digest)
    record.write(
        "publish_version",
        "version",
        [version.pk],
        SYSTEM,
        post="system",
        data={"programme": programme.pk, "number": number, "digest": digest},
    )
    return version


def load_quotas(file: Path | None = None) -> int:
    """Loads the headcounts by school from `fixtures/quotas.yaml`; returns how many. Idempotent.

    Raises DefinitionError for a programme without a quota rule or a school that does not exist.
    """
    file = file or Path(settings.BASE_DIR) / "fixtures" / "quotas.yaml"
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    with transaction.atomic():
        return sum(_load_quota(entry) for entry in entries)


def _load_quota(entry: dict[str, Any]) -> int:
    newest = ProgrammeVersion.objects.filter(programme_id=entry["programme"]).order_by("-number").first()
    if newest is None or newest.rules.quota is None:
        raise DefinitionError(f"quotas: {entry['programme']} has no quota")
    first_day = date(int(entry["school_year"][:4]), 9, 1)
    for code, headcount in entry["headcounts"].items():
        school = organisations.school_by_code(code, first_day)
        if school is None:
            raise DefinitionError(f"quotas: there is no school {code}")
        Quota.objects.update_or_create(
            programme_id=entry["programme"],
            school=school,
            school_year=entry["school_year"],
            defaults={"headcount": headcount},
        )
    return len(entry["headcounts"])
