"""What an office has to pay is asked by its path."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("awards", "0002_initial")]
    operations = [
        migrations.AddIndex(
            "award", models.Index(fields=["path"], name="award_path", opclasses=["varchar_pattern_ops"])
        ),
    ]
