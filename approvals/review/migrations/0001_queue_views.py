"""What a reviewer saves of the queue; and cases from before they had a title are called by their pupil."""

import django.contrib.postgres.fields
from django.db import migrations, models

# A title is filled in when a case is opened; those of before are found by name like the others.
TITLES = """
UPDATE workflows_{table} t SET title = left(s.name, 80)
  FROM applications_application a JOIN people_student s ON s.id = a.student_id
 WHERE a.case_id = t.{key} AND t.title = ''{open}
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("applications", "0002_fewer_indexes"),
        ("people", "0002_fewer_indexes"),
        ("workflows", "0005_queue_views"),
    ]

    operations = [
        migrations.CreateModel(
            name="QueueColumns",
            fields=[
                ("person", models.CharField(max_length=64, primary_key=True, serialize=False)),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), blank=True, size=None
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person", models.CharField(max_length=64)),
                ("slot", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=20, verbose_name="name")),
                ("query", models.CharField(max_length=500)),
            ],
            options={
                "verbose_name": "saved filter",
                "verbose_name_plural": "saved filters",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("person", "name"), name="one_saved_filter_per_name"),
                    models.UniqueConstraint(fields=("person", "slot"), name="one_saved_filter_per_slot"),
                    models.CheckConstraint(
                        condition=models.Q(("slot__gte", 1), ("slot__lte", 20)), name="so_many_saved_filters"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            [
                TITLES.format(table="case", key="id", open=""),
                TITLES.format(table="workitem", key="case_id", open=" AND t.finished IS NULL"),
            ],
            migrations.RunSQL.noop,
        ),
    ]
