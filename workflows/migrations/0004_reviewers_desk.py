"""Whom an item waits for, joint decisions, recusal, freeze periods, followers; queues that outlive a route."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# The kind and the last word of a step's reference name its queue.
QUEUES = """
UPDATE workflows_workitem i SET queue = c.kind || '.' || substring(i.flow_task from '[^.]+$')
  FROM workflows_case c WHERE c.id = i.case_id AND i.finished IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("workflows", "0003_lean_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DailyWork",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                ("date", models.DateField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Follower",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=150)),
                ("copied_by", models.CharField(blank=True, max_length=150)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("read_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Freeze",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=255)),
                ("starts_on", models.DateField(verbose_name="from")),
                ("ends_on", models.DateField(verbose_name="until")),
                ("text", models.CharField(max_length=200, verbose_name="reason")),
                ("open_to", models.CharField(blank=True, max_length=40)),
                ("set_by", models.CharField(max_length=150)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "freeze period",
                "verbose_name_plural": "freeze periods",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Look",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=150)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Recusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(blank=True, max_length=255)),
                ("person", models.CharField(max_length=64)),
                (
                    "levels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=None
                    ),
                ),
                ("code", models.CharField(max_length=40)),
                ("text", models.CharField(blank=True, max_length=500)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Signer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=150)),
                ("part", models.CharField(max_length=10)),
                ("added_by", models.CharField(blank=True, max_length=64)),
                ("added_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("vote", models.CharField(blank=True, max_length=20)),
                ("voted_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RemoveIndex(
            model_name="workitem",
            name="item_queue",
        ),
        migrations.RemoveIndex(
            model_name="workitem",
            name="item_office_queue",
        ),
        migrations.AddField(
            model_name="case",
            name="panels",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="case",
            name="returns",
            field=models.CharField(db_default="straight", default="straight", max_length=10),
        ),
        migrations.AddField(
            model_name="case",
            name="suspended_on",
            field=models.DateField(null=True, verbose_name="suspended on"),
        ),
        migrations.AddField(
            model_name="case",
            name="title",
            field=models.CharField(blank=True, db_default="", default="", max_length=80, verbose_name="title"),
        ),
        migrations.AddField(
            model_name="workitem",
            name="escalated_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="workitem",
            name="holder",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="workitem",
            name="holder_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=150),
        ),
        migrations.AddField(
            model_name="workitem",
            name="opened_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="workitem",
            name="panel",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
        migrations.AddField(
            model_name="workitem",
            name="queue",
            field=models.CharField(blank=True, db_default="", default="", max_length=60),
        ),
        migrations.AddField(
            model_name="workitem",
            name="quorum",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="workitem",
            name="share",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="workitem",
            name="title",
            field=models.CharField(blank=True, db_default="", default="", max_length=80),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("finished__isnull", True)), fields=["queue", "id"], name="item_queue"
            ),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("finished__isnull", True)),
                fields=["queue", "path", "id"],
                name="item_office_queue",
                opclasses=["varchar_ops", "varchar_pattern_ops", "int8_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("finished__isnull", True)),
                fields=["queue", "due_on", "id", "path"],
                name="item_due",
            ),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("finished__isnull", True)),
                fields=["queue", "title", "id", "path"],
                name="item_title",
                opclasses=["varchar_ops", "varchar_pattern_ops", "int8_ops", "varchar_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("finished__isnull", True), models.Q(("holder", ""), _negated=True)),
                fields=["holder", "id"],
                name="item_holder",
            ),
        ),
        migrations.AddConstraint(
            model_name="workitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("panel__in", ["", "all", "any", "share", "added"])), name="panel_of_a_known_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="workitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("panel", "share"), _negated=True),
                    models.Q(("share__gte", 1), ("share__lte", 100)),
                    _connector="OR",
                ),
                name="panel_share_in_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="dailywork",
            constraint=models.UniqueConstraint(fields=("name", "date"), name="done_once_a_day"),
        ),
        migrations.AddField(
            model_name="follower",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="followers", to="workflows.case"
            ),
        ),
        migrations.AddField(
            model_name="follower",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))), name="freeze_dates_in_order"
            ),
        ),
        migrations.AddField(
            model_name="look",
            name="case",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workflows.case"
            ),
        ),
        migrations.AddField(
            model_name="recusal",
            name="case",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="recusals",
                to="workflows.case",
            ),
        ),
        migrations.AddField(
            model_name="signer",
            name="item",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="signers",
                to="workflows.workitem",
            ),
        ),
        migrations.AddIndex(
            model_name="follower",
            index=models.Index(fields=["person", "-id"], name="follower_person"),
        ),
        migrations.AddConstraint(
            model_name="follower",
            constraint=models.UniqueConstraint(
                condition=models.Q(("copied_by", "")), fields=("case", "person"), name="one_watch_per_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="look",
            constraint=models.UniqueConstraint(fields=("case", "person"), name="one_look_per_person"),
        ),
        migrations.AddIndex(
            model_name="recusal",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)), fields=["person", "case"], name="recusal_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="recusal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("case", "person", "code"), name="one_recusal_per_cause"
            ),
        ),
        migrations.AddConstraint(
            model_name="recusal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("case", None), ("ended_at", None)),
                fields=("person", "path", "code"),
                name="one_office_recusal_per_cause",
            ),
        ),
        migrations.AddConstraint(
            model_name="recusal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("case__isnull", False), ("path", "")),
                    models.Q(("case", None), models.Q(("path", ""), _negated=True)),
                    _connector="OR",
                ),
                name="recusal_of_case_or_office",
            ),
        ),
        migrations.AddIndex(
            model_name="signer",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True), ("vote", "")),
                fields=["person", "item"],
                name="signer_waited_for",
            ),
        ),
        migrations.AddConstraint(
            model_name="signer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("item", "person"), name="one_signature_per_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="signer",
            constraint=models.CheckConstraint(
                condition=models.Q(("part__in", ["panel", "added", "base"])), name="signer_of_a_known_part"
            ),
        ),
        migrations.RunSQL(QUEUES, migrations.RunSQL.noop),
    ]
