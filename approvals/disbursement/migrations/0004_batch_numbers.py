"""Batch numbers run through one sequence, so that two makers never get the same."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("disbursement", "0003_initial")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE disbursement_batch_number", "DROP SEQUENCE disbursement_batch_number")
    ]
