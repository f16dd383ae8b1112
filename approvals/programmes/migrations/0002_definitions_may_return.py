"""A definition that was changed by mistake and then changed back is a third version with the first one's digest."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("programmes", "0001_initial")]
    operations = [migrations.RemoveConstraint(model_name="programmeversion", name="one_version_per_definition")]
