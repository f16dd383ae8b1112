"""Answers of the bank by file, bounced payments, corrections of accounts that two persons sign; files kept packed."""

import base64
import zlib

import django.db.models.deletion
import django_fsm
from django.conf import settings
from django.db import migrations, models

import approvals.people.fields
from approvals.people.crypto import decrypt_bytes, encrypt_bytes


def _each(apps, schema_editor, change):
    table = apps.get_model("disbursement", "BankFile")._meta.db_table
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table} ORDER BY id")
        for (pk,) in cursor.fetchall():
            cursor.execute(f"SELECT content FROM {table} WHERE id = %s", [pk])
            content = change(decrypt_bytes(bytes(cursor.fetchone()[0])))
            cursor.execute(f"UPDATE {table} SET content = %s WHERE id = %s", [encrypt_bytes(content), pk])


def pack(apps, schema_editor):
    """Files were kept as base64 text."""
    _each(apps, schema_editor, lambda content: zlib.compress(base64.b64decode(content), 3))


def unpack(apps, schema_editor):
    """Back to base64 text."""
    _each(apps, schema_editor, lambda content: base64.b64encode(zlib.decompress(content)))


EDITORS = """
CREATE FUNCTION disbursement_editor_does_not_sign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1
          FROM disbursement_accountcorrection c
          JOIN disbursement_paymentline f ON f.id = c.line_id
          JOIN disbursement_paymentline l ON l.case_id = f.case_id AND l.account_hash = c.account_hash
         WHERE c.state = 'confirmed' AND l.batch_id = NEW.id AND l.state <> 'cancelled'
           AND (NEW.checker_person IN (c.proposed_person, c.decided_person)
                OR NEW.approver_person IN (c.proposed_person, c.decided_person))
    ) THEN
        RAISE EXCEPTION 'who entered or confirmed an account of batch % may not check or approve it', NEW.id
              USING ERRCODE = 'check_violation', CONSTRAINT = 'editor_does_not_sign';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER editor_does_not_sign BEFORE UPDATE OF checker_person, approver_person ON disbursement_batch
    FOR EACH ROW WHEN (NEW.checker_person IS NOT NULL OR NEW.approver_person IS NOT NULL)
    EXECUTE FUNCTION disbursement_editor_does_not_sign();
"""
NO_EDITORS = """
DROP TRIGGER editor_does_not_sign ON disbursement_batch;
DROP FUNCTION disbursement_editor_does_not_sign();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("awards", "0003_awards_by_office"),
        ("disbursement", "0007_funds"),
        ("organisations", "0005_posts_by_two"),
        ("people", "0004_register_lists_uploaded"),
        ("programmes", "0002_definitions_may_return"),
        ("workflows", "0006_sealed_record"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AlterField("bankfile", "content", approvals.people.fields.EncryptedFileField()),
        migrations.RunPython(pack, unpack),
        migrations.CreateModel(
            name="AccountCorrection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=255)),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("waiting", "Waiting for a second person"),
                            ("confirmed", "Confirmed"),
                            ("refused", "Refused"),
                            ("withdrawn", "Taken back"),
                        ],
                        default="waiting",
                        max_length=12,
                        protected=True,
                        verbose_name="state",
                    ),
                ),
                ("account_no", approvals.people.fields.EncryptedTextField()),
                ("account_hash", models.BinaryField(max_length=32)),
                ("account_tail", models.CharField(max_length=4)),
                ("account_kind", models.CharField(max_length=24)),
                ("holder_name", models.CharField(max_length=50)),
                ("bank", models.CharField(max_length=60)),
                ("proposed_person", models.UUIDField(editable=False)),
                ("proposed_at", models.DateTimeField()),
                ("decided_person", models.UUIDField(editable=False, null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "account correction",
                "verbose_name_plural": "account corrections",
                "default_permissions": (),
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.AddField(
            model_name="paymentline",
            name="answered_in",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="answered",
                to="disbursement.bankfile",
            ),
        ),
        migrations.AddField(
            model_name="paymentline",
            name="bounced_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="paymentline",
            name="paid_after_end",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="paymentline",
            name="state",
            field=django_fsm.FSMField(
                choices=[
                    ("included", "In the batch"),
                    ("held", "Held back"),
                    ("sent", "Sent to the bank"),
                    ("paid", "Paid"),
                    ("failed", "Failed"),
                    ("bounced", "Bounced"),
                    ("account_fix", "Account being corrected"),
                    ("reissued", "Reissued"),
                    ("cancelled", "Cancelled"),
                ],
                default="included",
                max_length=12,
                protected=True,
                verbose_name="state",
            ),
        ),
        migrations.AddIndex(
            model_name="paymentline",
            index=models.Index(
                condition=models.Q(("paid_after_end", True)), fields=["path"], name="line_paid_after_end"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankfile",
            constraint=models.UniqueConstraint(
                condition=models.Q(("direction", "out")), fields=("batch",), name="one_file_out_per_batch"
            ),
        ),
        migrations.AddField(
            model_name="accountcorrection",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="accountcorrection",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="corrections", to="disbursement.paymentline"
            ),
        ),
        migrations.AddField(
            model_name="accountcorrection",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="accountcorrection",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["path"],
                name="correction_waiting",
                opclasses=["varchar_pattern_ops"],
            ),
        ),
        migrations.AddConstraint(
            model_name="accountcorrection",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "waiting")), fields=("line",), name="one_correction_waits_per_line"
            ),
        ),
        migrations.AddConstraint(
            model_name="accountcorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["confirmed", "refused"]), _negated=True),
                    models.Q(
                        ("decided_person__isnull", False),
                        models.Q(("decided_person", models.F("proposed_person")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="correction_has_two_persons",
            ),
        ),
        migrations.RunSQL(EDITORS, NO_EDITORS),
    ]
