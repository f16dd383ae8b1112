"""Who was paid to an account is asked by the account."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("disbursement", "0005_three_natural_persons")]
    operations = [
        migrations.AddIndex(
            "paymentline",
            models.Index(fields=["account_hash"], name="line_account", condition=Q(account_hash__isnull=False)),
        ),
    ]
