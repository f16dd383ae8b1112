"""The queue by deadline for one office, and what has come back, each from an index."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("workflows", "0004_reviewers_desk"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("finished__isnull", True)),
                fields=["queue", "path", "due_on", "id"],
                name="item_office_due",
                opclasses=["varchar_ops", "varchar_pattern_ops", "date_ops", "int8_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("finished__isnull", True), ("round__gt", 1)),
                fields=["queue", "id", "path"],
                name="item_returned",
            ),
        ),
    ]
