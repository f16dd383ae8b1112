"""Split rules as the programmes' files give them; later files replace earlier ones, batches keep their entries."""

from pathlib import Path

from django.conf import settings
from django.db import transaction

from approvals.disbursement.funds.models import SplitRule
from approvals.programmes.definition import read_file


def load_splits(folder: Path | None = None) -> int:
    """Loads the `funds` of every programme in `fixtures/programmes/`; returns how many rules there are. Idempotent.

    Raises DefinitionError. The programmes themselves are loaded before.
    """
    folder = folder or Path(settings.BASE_DIR) / "fixtures" / "programmes"
    rules = [
        SplitRule(
            programme_id=file.code,
            valid_from=split.valid_from,
            shares={source: str(share) for source, share in split.shares.items()},
            basis=split.basis,
            verified=split.verified,
        )
        for file in map(read_file, sorted(folder.glob("*.yaml")))
        for split in file.funds
    ]
    with transaction.atomic():
        SplitRule.objects.filter(programme__in={rule.programme_id for rule in rules}).delete()
        SplitRule.objects.bulk_create(rules)
    return len(rules)
