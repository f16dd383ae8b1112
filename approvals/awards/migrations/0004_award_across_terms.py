"""Awards live across terms: they are stopped, follow pupils, end; what is proposed of them needs several hands."""

import datetime

import django.db.models.deletion
import django_fsm
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("awards", "0003_awards_by_office"),
        ("organisations", "0005_posts_by_two"),
        ("people", "0004_register_lists_uploaded"),
        ("programmes", "0002_definitions_may_return"),
        ("workflows", "0006_sealed_record"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AwardDifference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("term", models.CharField(max_length=12)),
                (
                    "cause",
                    models.CharField(
                        choices=[("rate", "The rate was corrected"), ("ended", "Paid for a term after the end")],
                        max_length=8,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, max_digits=10)),
                ("found_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AwardInstalment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("proof", models.CharField(blank=True, max_length=1000, verbose_name="proof")),
                ("recorded_person", models.UUIDField(editable=False, null=True)),
                ("recorded_at", models.DateTimeField(null=True)),
                ("confirmed_person", models.UUIDField(editable=False, null=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AwardProposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("waiting", "Waiting for the county"),
                            ("to_second", "Waiting for the second person"),
                            ("to_accept", "Waiting for the new school"),
                            ("confirmed", "Confirmed"),
                            ("declined", "Declined"),
                            ("withdrawn", "Taken back"),
                            ("lapsed", "Overtaken by another change"),
                        ],
                        default="waiting",
                        max_length=10,
                        protected=True,
                        verbose_name="state",
                    ),
                ),
                ("path", models.CharField(max_length=255)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("suspend", "Suspend"),
                            ("resume", "Resume"),
                            ("transfer", "Transfer"),
                            ("terminate", "Terminate"),
                            ("complete", "End with graduation"),
                        ],
                        max_length=10,
                        verbose_name="change",
                    ),
                ),
                ("reason_code", models.CharField(max_length=20)),
                ("reason_text", models.CharField(blank=True, max_length=1000)),
                ("effective_on", models.DateField(verbose_name="effective on")),
                ("to_place", models.CharField(blank=True, max_length=80)),
                ("by_county", models.BooleanField(default=False)),
                ("proposed_person", models.UUIDField(editable=False)),
                ("proposed_at", models.DateTimeField()),
                ("due_on", models.DateField(null=True)),
                ("applied_on", models.DateField(null=True)),
                ("first_person", models.UUIDField(editable=False, null=True)),
                ("first_at", models.DateTimeField(null=True)),
                ("second_person", models.UUIDField(editable=False, null=True)),
                ("second_at", models.DateTimeField(null=True)),
                ("answer", models.CharField(blank=True, max_length=1000)),
            ],
            options={
                "verbose_name": "proposal about an award",
                "verbose_name_plural": "proposals about awards",
                "default_permissions": (),
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name="EnrolmentEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=255)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("leave", "Leave of absence"),
                            ("return", "Return from leave"),
                            ("transfer", "Change of school"),
                            ("dropout", "Withdrawal or dropout"),
                            ("death", "Death"),
                            ("graduation", "Graduation"),
                        ],
                        max_length=10,
                        verbose_name="change",
                    ),
                ),
                ("on", models.DateField(verbose_name="day")),
                ("to_place", models.CharField(blank=True, max_length=80)),
                ("remark", models.CharField(blank=True, max_length=300)),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "change of enrolment",
                "verbose_name_plural": "changes of enrolment",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="EventList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=255)),
                ("filename", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("content", models.BinaryField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("previewed", "To be confirmed"),
                            ("loaded", "Taken over"),
                            ("discarded", "Thrown away"),
                        ],
                        default="previewed",
                        max_length=10,
                    ),
                ),
                ("rows", models.PositiveIntegerField(default=0)),
                ("valid", models.PositiveIntegerField(default=0)),
                ("counts", models.JSONField(default=dict)),
                ("problems", models.JSONField(default=list)),
                ("recorded", models.PositiveIntegerField(default=0)),
                ("proposals", models.PositiveIntegerField(default=0)),
                ("uploaded_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RemoveConstraint(
            model_name="award",
            name="one_live_award",
        ),
        migrations.AddField(
            model_name="award",
            name="audit_held",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="award",
            name="ends_on",
            field=models.DateField(default=datetime.date(2000, 8, 31)),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="award",
            name="lasting",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="award",
            name="span",
            field=models.CharField(default="x", max_length=9),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="award",
            name="stopped_for",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name="award",
            name="stops_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="award",
            name="taken",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="awardterm",
            name="hold",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Payable"),
                    ("proof", "Waits for the yearly proof"),
                    ("missed", "Not paid afterwards"),
                    ("ended", "After the end"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="award",
            name="state",
            field=django_fsm.FSMField(
                choices=[
                    ("pending", "Not yet effective"),
                    ("active", "Active"),
                    ("suspended", "Suspended"),
                    ("transferred_out", "Transferred out"),
                    ("terminated", "Terminated"),
                    ("completed", "Completed"),
                ],
                default="pending",
                max_length=16,
                protected=True,
                verbose_name="state",
            ),
        ),
        migrations.AddIndex(
            model_name="award",
            index=models.Index(
                condition=models.Q(("state__in", ["active", "suspended"])), fields=["ends_on"], name="award_ending"
            ),
        ),
        # One statement: a row touched twice would leave checks pending, which the index below does not bear.
        migrations.RunSQL(
            """
            UPDATE awards_award
               SET span = school_year,
                   ends_on = make_date(split_part(school_year, '-', 2)::int, 8, 31),
                   taken = state IN ('pending', 'active', 'suspended', 'completed'),
                   stops_on = CASE WHEN state IN ('terminated', 'suspended') THEN granted_at::date END;
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="award",
            constraint=models.UniqueConstraint(
                condition=models.Q(("taken", True)), fields=("student", "group", "span"), name="one_award_per_span"
            ),
        ),
        migrations.AddConstraint(
            model_name="award",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["pending", "active", "completed"]), ("stops_on", None)),
                    ("state", "suspended"),
                    models.Q(("state__in", ["transferred_out", "terminated"]), ("stops_on__isnull", False)),
                    _connector="OR",
                ),
                name="ended_award_has_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="award",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("audit_held", False),
                    models.Q(("state__in", ["pending", "active", "completed"]), _negated=True),
                    _connector="OR",
                ),
                name="held_award_is_stopped",
            ),
        ),
        migrations.AddField(
            model_name="awarddifference",
            name="award",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="differences", to="awards.award"
            ),
        ),
        migrations.AddField(
            model_name="awarddifference",
            name="rate",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="programmes.rate"
            ),
        ),
        migrations.AddField(
            model_name="awardinstalment",
            name="confirmed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="awardinstalment",
            name="recorded_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="awardinstalment",
            name="term",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="instalment", to="awards.awardterm"
            ),
        ),
        migrations.AddField(
            model_name="awardproposal",
            name="award",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="proposals", to="awards.award"
            ),
        ),
        migrations.AddField(
            model_name="awardproposal",
            name="first_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="awardproposal",
            name="from_school",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisations.organisation"
            ),
        ),
        migrations.AddField(
            model_name="awardproposal",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="awardproposal",
            name="second_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="awardproposal",
            name="to_school",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="enrolmentevent",
            name="recorded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="enrolmentevent",
            name="school",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisations.organisation"
            ),
        ),
        migrations.AddField(
            model_name="enrolmentevent",
            name="student",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="enrolment_events", to="people.student"
            ),
        ),
        migrations.AddField(
            model_name="enrolmentevent",
            name="to_school",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="awardproposal",
            name="event",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="proposals",
                to="awards.enrolmentevent",
            ),
        ),
        migrations.AddField(
            model_name="eventlist",
            name="school",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisations.organisation"
            ),
        ),
        migrations.AddField(
            model_name="eventlist",
            name="uploaded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="enrolmentevent",
            name="list",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="events", to="awards.eventlist"
            ),
        ),
        migrations.AddConstraint(
            model_name="awarddifference",
            constraint=models.UniqueConstraint(
                condition=models.Q(("settled_at", None)), fields=("award", "term", "cause"), name="one_open_difference"
            ),
        ),
        migrations.AddConstraint(
            model_name="awarddifference",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount", 0), _negated=True), name="difference_is_some"
            ),
        ),
        migrations.AddConstraint(
            model_name="awardinstalment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confirmed_person", None),
                    models.Q(
                        ("recorded_person__isnull", False),
                        models.Q(("confirmed_person", models.F("recorded_person")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="proof_confirmed_by_another",
            ),
        ),
        migrations.AddIndex(
            model_name="awardproposal",
            index=models.Index(fields=["path"], name="award_proposal_path", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddIndex(
            model_name="awardproposal",
            index=models.Index(
                condition=models.Q(("applied_on", None), ("state__in", ("waiting", "to_second", "to_accept"))),
                fields=["due_on"],
                name="award_proposal_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="awardproposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("waiting", "to_second", "to_accept"))),
                fields=("award",),
                name="one_open_proposal_per_award",
            ),
        ),
        migrations.AddConstraint(
            model_name="awardproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("first_person", None),
                        ("by_county", True),
                        models.Q(("first_person", models.F("proposed_person")), _negated=True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("second_person", None),
                        models.Q(
                            models.Q(("second_person", models.F("first_person")), _negated=True),
                            models.Q(("second_person", models.F("proposed_person")), _negated=True),
                        ),
                        _connector="OR",
                    ),
                ),
                name="award_proposal_persons_differ",
            ),
        ),
        migrations.AddConstraint(
            model_name="awardproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "confirmed"), _negated=True),
                    models.Q(
                        ("first_person__isnull", False),
                        models.Q(
                            models.Q(("kind", "terminate"), _negated=True),
                            ("second_person__isnull", False),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="confirmed_proposal_has_its_persons",
            ),
        ),
        migrations.AddConstraint(
            model_name="awardproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "transfer"), models.Q(("to_place", ""), ("to_school", None)), _connector="OR"
                ),
                name="only_a_transfer_has_a_goal",
            ),
        ),
        migrations.AddIndex(
            model_name="eventlist",
            index=models.Index(fields=["path"], name="event_list_path", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddConstraint(
            model_name="eventlist",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "loaded")), fields=("school", "sha256"), name="one_event_list_per_file"
            ),
        ),
        migrations.AddIndex(
            model_name="enrolmentevent",
            index=models.Index(fields=["path"], name="event_path", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddConstraint(
            model_name="enrolmentevent",
            constraint=models.UniqueConstraint(
                fields=("student", "kind", "on"), name="one_event_per_pupil_kind_and_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolmentevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "transfer"), models.Q(("to_place", ""), ("to_school", None)), _connector="OR"
                ),
                name="only_a_transfer_goes_somewhere",
            ),
        ),
    ]
