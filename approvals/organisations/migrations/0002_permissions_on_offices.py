"""Acts as permissions on offices. They are the matrix's, so that a new one needs no migration."""

from django.db import migrations

from approvals.organisations.roles import matrix


class Migration(migrations.Migration):
    dependencies = [("organisations", "0001_initial")]
    operations = [
        migrations.AlterModelOptions(
            name="organisation",
            options={
                "default_permissions": (),
                "permissions": [(name, name.replace("_", " ").capitalize()) for name in matrix().permissions],
                "verbose_name": "organisation",
                "verbose_name_plural": "organisations",
            },
        )
    ]
