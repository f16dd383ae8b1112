from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0004_hits_keep_what_was_matched"),
    ]

    operations = [
        migrations.AddField(
            model_name="roster",
            name="uploaded_on",
            field=models.DateField(null=True),
        ),
    ]
