"""The county's tree of offices and schools, the people who work in it, and the posts they hold."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p
from django_fsm import FSMField, FSMModelMixin, transition
from treebeard.mp_tree import MP_Node

from approvals.organisations.roles import matrix


class User(AbstractUser):
    """An account. Two accounts of one natural person share the `person` key, which separation of duties goes by."""

    person = models.UUIDField(_("natural person"), default=uuid.uuid4, db_index=True, editable=False)
    name = models.CharField(_("name"), max_length=80)
    phone = models.CharField(_("office phone"), max_length=30, blank=True)
    id_hash = models.BinaryField(max_length=32, null=True, editable=False)
    """Keyed blind index of the person's ID number, by which kin are found; the number itself is kept nowhere."""
    one_time = models.BooleanField(default=False)
    """The password was given by an administrator: it opens only the page where another is chosen."""
    employer = models.ForeignKey(
        "Organisation",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="staff",
        verbose_name=_("employed by the school"),
    )
    """The school that employs the person; he does not judge its cases above the school (docs/decisions/posts.md)."""

    class Meta(AbstractUser.Meta):
        indexes = [models.Index(fields=["id_hash"], name="user_id_hash")]
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    def __str__(self) -> str:
        return self.name or self.username


class Kind(models.TextChoices):
    COUNTY = "county", _("County")
    TOWNSHIP = "township", _("Township")
    SCHOOL = "school", _("School")


class SchoolForm(models.TextChoices):
    COUNTY_DIRECT = "county_direct_school", _("County-direct school")
    CENTRAL = "central_school", _("Central school")
    VILLAGE = "village_school", _("Village school")
    TEACHING_POINT = "teaching_point", _("Teaching point")


class Organisation(MP_Node):
    """An office or school. Its `path` is the office path that cases carry; codes and names change, `id` stays.

    Acts are permissions on an organisation (guardian), and hold for all that lies below it.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    code = models.CharField(_("code"), max_length=12)
    name = models.CharField(_("name"), max_length=80)
    form = models.CharField(_("form"), max_length=24, choices=SchoolForm.choices, blank=True)
    stages = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    boarding = models.BooleanField(_("has boarders"), default=False)
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    contact = models.CharField(_("contact for objections"), max_length=40, blank=True)
    contact_phone = models.CharField(_("phone for objections"), max_length=30, blank=True)
    contact_place = models.CharField(_("place of reception"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        default_permissions = ()
        permissions = [(name, name.replace("_", " ").capitalize()) for name in matrix().permissions]
        constraints = [
            models.UniqueConstraint(fields=["code"], condition=Q(valid_to=None), name="one_organisation_per_code"),
        ]
        indexes = [models.Index(fields=["path"], name="organisation_path", opclasses=["varchar_pattern_ops"])]

    def __str__(self) -> str:
        return self.name


class FormerName(models.Model):
    """A name and code that an organisation had for a while: 浮图店乡 before it became 浮图店镇 (DOMAIN.md §2.10)."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="former_names")
    code = models.CharField(max_length=12)
    name = models.CharField(max_length=80)
    valid_from = models.DateField()
    valid_to = models.DateField()

    class Meta:
        default_permissions = ()


class Post(models.Model):
    """A person holding a role at an organisation for a period. The truth about authority, checked by its dates."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="posts")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="posts")
    role = models.CharField(_("role"), max_length=40)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    """Last day of the post."""
    revoked_at = models.DateTimeField(null=True, blank=True)
    """Set when a post is ended at once; such a post holds no longer, whatever its dates."""
    deputy_for = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="deputies")
    """代理: the post of the absent holder whose role is held meanwhile; null for a post of one's own."""

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "role"],
                condition=Q(ends_on=None, revoked_at=None),
                name="one_open_post_per_role",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")), name="post_dates_in_order"
            ),
            models.CheckConstraint(
                condition=Q(deputy_for=None) | Q(ends_on__isnull=False), name="deputy_only_for_a_while"
            ),
        ]


PROPOSAL_KINDS = [
    ("appoint", _p("proposal", "Appoint")),
    ("deputise", _p("proposal", "Deputise")),
    ("end", _p("proposal", "End")),
]
PROPOSAL_STATES = [
    ("waiting", _p("proposal state", "Waiting for approval")),
    ("approved", _p("proposal state", "Approved")),
    ("declined", _p("proposal state", "Declined")),
    ("withdrawn", _p("proposal state", "Taken back")),
]


class PostProposal(FSMModelMixin, models.Model):
    """What one administrator proposes of a post and a second one approves (三员分立: nobody appoints alone).

    `user` is who would hold the post, or whose post ends; the natural persons stand beside the accounts, so that the
    database keeps proposer, approver and whom it concerns apart.
    """

    state = FSMField(_("state"), max_length=10, default="waiting", protected=True, choices=PROPOSAL_STATES)
    kind = models.CharField(_("kind"), max_length=10, choices=PROPOSAL_KINDS)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    person = models.UUIDField(editable=False)
    role = models.CharField(_("role"), max_length=40)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=255)
    post = models.ForeignKey(Post, null=True, on_delete=models.PROTECT, related_name="proposals")
    """The post that ends, or whose holder is absent; null for an appointment."""
    starts_on = models.DateField(_("from"), null=True)
    """First day; null where a post ends."""
    ends_on = models.DateField(_("until"), null=True)
    """Last day; of an ending, null for at once."""
    reason = models.CharField(_("reason"), max_length=500)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_person = models.UUIDField(editable=False)
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_person = models.UUIDField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True)
    """Why it was declined."""
    given = models.OneToOneField(Post, null=True, on_delete=models.PROTECT, related_name="given_by")
    """The post that came of it."""

    class Meta:
        verbose_name = _("proposal about a post")
        verbose_name_plural = _("proposals about posts")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "declined"])
                | Q(decided_person__isnull=False) & ~Q(decided_person=F("proposed_person")),
                name="post_decided_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "declined"]) | ~Q(decided_person=F("person")),
                name="nobody_decides_own_post",
            ),
            models.CheckConstraint(
                condition=Q(kind="end") | ~Q(proposed_person=F("person")), name="nobody_proposes_own_post"
            ),
            models.CheckConstraint(
                condition=Q(kind="appoint", post=None, starts_on__isnull=False)
                | Q(kind="deputise", post__isnull=False, starts_on__isnull=False, ends_on__isnull=False)
                | Q(kind="end", post__isnull=False, starts_on=None),
                name="proposal_says_what",
            ),
            models.UniqueConstraint(
                fields=["user", "organisation", "role", "kind"],
                condition=Q(state="waiting"),
                name="one_waiting_proposal_per_post",
            ),
        ]
        indexes = [
            models.Index(fields=["path"], name="proposal_path", opclasses=["varchar_pattern_ops"]),
        ]

    @transition("state", "waiting", "approved", permission="manage_posts")
    def approve(self) -> None:
        """同意, by a second person; what it says holds from then on, within its dates."""

    @transition("state", "waiting", "declined", permission="manage_posts")
    def decline(self) -> None:
        """不同意, by a second person, with a reason."""

    @transition("state", "waiting", "withdrawn", permission="manage_posts")
    def withdraw(self) -> None:
        """撤回, by who proposed it."""
