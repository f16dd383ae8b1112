from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0003_accounts_known_by_number"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="one_time",
            field=models.BooleanField(default=False),
        ),
    ]
