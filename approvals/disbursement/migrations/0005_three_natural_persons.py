"""Maker, checker and approver are three natural persons, not only three accounts."""

import uuid

from django.db import migrations, models
from django.db.models import F, Q

PERSONS = """
UPDATE disbursement_batch b SET
    maker_person = (SELECT person FROM organisations_user u WHERE u.id = b.maker_id),
    checker_person = (SELECT person FROM organisations_user u WHERE u.id = b.checker_id),
    approver_person = (SELECT person FROM organisations_user u WHERE u.id = b.approver_id)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("disbursement", "0004_batch_numbers"),
        ("organisations", "0001_initial"),
    ]
    operations = [
        migrations.AddField(
            "batch", "maker_person", models.UUIDField(default=uuid.uuid4, editable=False), preserve_default=False
        ),
        migrations.AddField("batch", "checker_person", models.UUIDField(null=True, editable=False)),
        migrations.AddField("batch", "approver_person", models.UUIDField(null=True, editable=False)),
        migrations.RunSQL(PERSONS, migrations.RunSQL.noop),
        migrations.RemoveConstraint("batch", "maker_checker_approver_are_three"),
        migrations.RemoveConstraint("batch", "approved_batch_has_three_persons"),
        migrations.AddConstraint(
            "batch",
            models.CheckConstraint(
                condition=(Q(checker_person=None) | ~Q(checker_person=F("maker_person")))
                & (
                    Q(approver_person=None)
                    | (~Q(approver_person=F("maker_person")) & ~Q(approver_person=F("checker_person")))
                ),
                name="three_natural_persons",
            ),
        ),
        migrations.AddConstraint(
            "batch",
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "sent_to_bank", "partially_paid", "paid"])
                | Q(checker_person__isnull=False, approver_person__isnull=False),
                name="approved_batch_has_three_persons",
            ),
        ),
    ]
