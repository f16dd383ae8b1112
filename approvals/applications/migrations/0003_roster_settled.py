from django.conf import settings
from django.db import migrations, models

NOTED = """
    UPDATE applications_roster r SET
        commitment_on = CASE WHEN commitment_held THEN coalesce((
            SELECT mode() WITHIN GROUP (ORDER BY a.commitment_on) FROM applications_application a WHERE a.roster_id = r.id
        ), uploaded_at::date) END,
        consent_on = CASE WHEN consent_held THEN coalesce((
            SELECT mode() WITHIN GROUP (ORDER BY a.consent_on) FROM applications_application a WHERE a.roster_id = r.id
        ), uploaded_at::date) END,
        settled_at = CASE WHEN state IN ('imported', 'unreadable', 'failed') THEN now() END
"""


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0002_fewer_indexes"),
        ("organisations", "0002_permissions_on_offices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(model_name="roster", name="commitment_on", field=models.DateField(null=True)),
        migrations.AddField(model_name="roster", name="consent_on", field=models.DateField(null=True)),
        migrations.AddField(model_name="roster", name="settled_at", field=models.DateTimeField(null=True)),
        migrations.RunSQL(NOTED, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="roster", name="commitment_held"),
        migrations.RemoveField(model_name="roster", name="consent_held"),
        migrations.AddIndex(
            model_name="roster",
            index=models.Index(
                condition=models.Q(("content__isnull", False)), fields=["settled_at"], name="roster_file_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="roster",
            constraint=models.CheckConstraint(
                condition=models.Q(("accepted", 0), ("state", "imported"), _connector="OR"),
                name="roster_taken_is_imported",
            ),
        ),
    ]
