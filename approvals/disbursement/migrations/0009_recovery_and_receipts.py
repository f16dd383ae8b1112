"""Money asked back and what came of it, with its negative lines; receipts that schools confirm."""

from decimal import Decimal

import django.db.models.deletion
import django_fsm
from django.conf import settings
from django.db import migrations, models

GUARDS = """
CREATE FUNCTION disbursement_asks_back_what_was_paid() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    paid numeric;
    asked numeric;
BEGIN
    SELECT amount INTO paid FROM disbursement_paymentline
     WHERE id = NEW.line_id AND purpose <> 'recovery' AND state IN ('paid', 'acknowledged') FOR NO KEY UPDATE;
    IF TG_OP = 'INSERT' AND paid IS NULL THEN
        RAISE EXCEPTION 'line % was not paid', NEW.line_id
              USING ERRCODE = 'check_violation', CONSTRAINT = 'recovery_of_paid_line';
    END IF;
    SELECT sum(amount) INTO asked FROM disbursement_recoverycase
     WHERE line_id = NEW.line_id AND state <> 'withdrawn' AND id IS DISTINCT FROM NEW.id;
    IF coalesce(asked, 0) + NEW.amount > paid THEN
        RAISE EXCEPTION 'more is asked back than the % yuan of line %', paid, NEW.line_id
              USING ERRCODE = 'check_violation', CONSTRAINT = 'recovery_at_most_paid';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER asks_back_what_was_paid BEFORE INSERT OR UPDATE OF amount, line_id ON disbursement_recoverycase
    FOR EACH ROW EXECUTE FUNCTION disbursement_asks_back_what_was_paid();
CREATE FUNCTION disbursement_receipt_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE disbursement_recoverycase c SET recovered = c.recovered + NEW.amount
     WHERE c.id = NEW.case_id AND c.state IN ('noticed', 'partly_recovered', 'referred')
       AND EXISTS (SELECT FROM disbursement_paymentline l
                    WHERE l.id = NEW.line_id AND l.recovers_id = c.line_id AND l.amount = -NEW.amount);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'receipt % fits no recovery that waits', NEW.number
              USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_fits_recovery';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER receipt_counts AFTER INSERT ON disbursement_recoveryreceipt
    FOR EACH ROW EXECUTE FUNCTION disbursement_receipt_counts();
CREATE TRIGGER recovery_receipt_refuses_change BEFORE UPDATE OR DELETE ON disbursement_recoveryreceipt
    FOR EACH ROW EXECUTE FUNCTION disbursement_ledger_is_append_only();
CREATE TRIGGER recovery_line_refuses_change BEFORE UPDATE OR DELETE ON disbursement_paymentline
    FOR EACH ROW WHEN (OLD.purpose = 'recovery') EXECUTE FUNCTION disbursement_ledger_is_append_only();
CREATE TRIGGER acknowledgement_refuses_change BEFORE UPDATE OR DELETE ON disbursement_acknowledgement
    FOR EACH ROW EXECUTE FUNCTION disbursement_ledger_is_append_only();
"""
NO_GUARDS = """
DROP TRIGGER acknowledgement_refuses_change ON disbursement_acknowledgement;
DROP TRIGGER recovery_line_refuses_change ON disbursement_paymentline;
DROP TRIGGER recovery_receipt_refuses_change ON disbursement_recoveryreceipt;
DROP TRIGGER receipt_counts ON disbursement_recoveryreceipt;
DROP FUNCTION disbursement_receipt_counts();
DROP TRIGGER asks_back_what_was_paid ON disbursement_recoverycase;
DROP FUNCTION disbursement_asks_back_what_was_paid();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("awards", "0004_award_across_terms"),
        ("disbursement", "0008_bank"),
        ("organisations", "0005_posts_by_two"),
        ("people", "0004_register_lists_uploaded"),
        ("programmes", "0002_definitions_may_return"),
        ("workflows", "0006_sealed_record"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Acknowledgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "signed_by",
                    models.CharField(choices=[("pupil", "The pupil"), ("guardian", "A guardian")], max_length=10),
                ),
                ("signer", models.CharField(max_length=80)),
                ("signed_on", models.DateField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "receipt of a payment",
                "verbose_name_plural": "receipts of payments",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RecoveryCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=255)),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("opened", "Opened"),
                            ("noticed", "Guardian asked"),
                            ("partly_recovered", "Partly recovered"),
                            ("recovered", "Recovered"),
                            ("to_write_off", "Write-off to be confirmed"),
                            ("written_off", "Written off"),
                            ("referred", "Handed over"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="opened",
                        max_length=16,
                        protected=True,
                        verbose_name="state",
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("dropout", "Paid after the pupil left school"),
                            ("transfer", "Paid after the pupil changed schools"),
                            ("death", "Paid after the pupil died"),
                            ("duplicate", "Paid twice"),
                            ("wrong_rate", "Paid at a wrong rate"),
                            ("false_information", "Obtained by false information"),
                            ("after_end", "Arrived after the award had ended"),
                        ],
                        max_length=20,
                    ),
                ),
                ("words", models.TextField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=10)),
                ("recovered", models.DecimalField(decimal_places=2, default=Decimal("0.00"), max_digits=10)),
                ("opened_at", models.DateTimeField()),
                ("noticed_on", models.DateField(null=True)),
                ("due_on", models.DateField(null=True)),
                ("account_holder", models.CharField(blank=True, max_length=80)),
                ("account_bank", models.CharField(blank=True, max_length=80)),
                ("account_no", models.CharField(blank=True, max_length=40)),
                ("proposed_person", models.UUIDField(editable=False, null=True)),
                ("confirmed_person", models.UUIDField(editable=False, null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "recovery",
                "verbose_name_plural": "recoveries",
                "default_permissions": (),
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name="RecoveryReceipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=255)),
                ("number", models.CharField(max_length=60)),
                ("dated", models.DateField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=10)),
                ("at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RepaymentAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=255, unique=True)),
                ("holder", models.CharField(max_length=80, verbose_name="account holder")),
                ("bank", models.CharField(max_length=80, verbose_name="bank")),
                ("account_no", models.CharField(max_length=40, verbose_name="account number")),
                ("at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RemoveConstraint(
            model_name="paymentline",
            name="line_amount_positive",
        ),
        migrations.RemoveConstraint(
            model_name="paymentline",
            name="nothing_paid_twice",
        ),
        migrations.AddField(
            model_name="paymentline",
            name="recovers",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="paid_back",
                to="disbursement.paymentline",
            ),
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
                    ("acknowledged", "Receipt confirmed"),
                    ("recovered", "Recovered"),
                ],
                default="included",
                max_length=12,
                protected=True,
                verbose_name="state",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentline",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["included", "held", "sent", "paid", "acknowledged"])),
                fields=("student", "programme", "term", "purpose"),
                name="nothing_paid_twice",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(models.Q(("purpose", "recovery"), _negated=True), ("amount__gt", 0), ("recovers", None)),
                    models.Q(("purpose", "recovery"), ("amount__lt", 0), ("recovers__isnull", False)),
                    _connector="OR",
                ),
                name="line_amount_positive",
            ),
        ),
        migrations.AddField(
            model_name="acknowledgement",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="acknowledgement",
            name="line",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="acknowledgement",
                to="disbursement.paymentline",
            ),
        ),
        migrations.AddField(
            model_name="recoverycase",
            name="confirmed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="recoverycase",
            name="difference",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="awards.awarddifference"
            ),
        ),
        migrations.AddField(
            model_name="recoverycase",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="recoveries", to="disbursement.paymentline"
            ),
        ),
        migrations.AddField(
            model_name="recoverycase",
            name="opened_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="recoverycase",
            name="proposed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="recoveryreceipt",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="recoveryreceipt",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="receipts", to="disbursement.recoverycase"
            ),
        ),
        migrations.AddField(
            model_name="recoveryreceipt",
            name="line",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="receipt",
                to="disbursement.paymentline",
            ),
        ),
        migrations.AddField(
            model_name="repaymentaccount",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="acknowledgement",
            constraint=models.CheckConstraint(
                condition=models.Q(("signed_by__in", ["pupil", "guardian"]), models.Q(("signer", ""), _negated=True)),
                name="receipt_is_signed",
            ),
        ),
        migrations.AddIndex(
            model_name="recoverycase",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ["opened", "noticed", "partly_recovered", "to_write_off", "referred"])
                ),
                fields=["path"],
                name="recovery_waiting",
                opclasses=["varchar_pattern_ops"],
            ),
        ),
        migrations.AddConstraint(
            model_name="recoverycase",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="recovery_amount_positive"),
        ),
        migrations.AddConstraint(
            model_name="recoverycase",
            constraint=models.CheckConstraint(
                condition=models.Q(("recovered__gte", 0), ("recovered__lte", models.F("amount"))),
                name="recovered_at_most_asked",
            ),
        ),
        migrations.AddConstraint(
            model_name="recoverycase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "recovered"), _negated=True), ("recovered", models.F("amount")), _connector="OR"
                ),
                name="recovered_is_all_of_it",
            ),
        ),
        migrations.AddConstraint(
            model_name="recoverycase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "written_off"), _negated=True),
                    models.Q(
                        ("confirmed_person__isnull", False),
                        ("proposed_person__isnull", False),
                        models.Q(("proposed_person", models.F("confirmed_person")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="write_off_has_two_persons",
            ),
        ),
        migrations.AddConstraint(
            model_name="recoverycase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "withdrawn"), _negated=True), ("recovered", Decimal("0")), _connector="OR"
                ),
                name="withdrawn_without_receipts",
            ),
        ),
        migrations.AddConstraint(
            model_name="recoveryreceipt",
            constraint=models.UniqueConstraint(fields=("path", "number"), name="receipt_number_once"),
        ),
        migrations.AddConstraint(
            model_name="recoveryreceipt",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="receipt_amount_positive"),
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
