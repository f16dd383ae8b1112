"""What people type of an announcement. Whether it may be done is judged by the actions."""

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.notices.announcements.models import Announcement
from approvals.organisations.models import Organisation
from approvals.organisations.reasons import ReasonField


class AnnouncementForm(forms.ModelForm):
    """Kind, title and text; for whom, where somebody may write for several offices."""

    office = forms.ModelChoiceField(Organisation.objects.none(), label=_("Office"), empty_label=None)

    class Meta:
        model = Announcement
        fields = ("kind", "title", "body")
        widgets = {"body": forms.Textarea(attrs={"rows": 12})}
        help_texts = {
            "title": _("Shown to everybody, and in the feed."),
            "body": _(
                "Plain text; every line becomes a paragraph. No numbers of persons, no addresses, no family "
                "circumstances. The office's contact is added beneath."
            ),
        }

    def __init__(self, *args: object, offices: list[Organisation], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        chosen = self.fields["office"]
        chosen.queryset = Organisation.objects.filter(pk__in=[each.pk for each in offices])  # type: ignore[attr-defined]
        if len(offices) <= 1:
            chosen.widget = forms.HiddenInput()
            chosen.initial = offices[0].pk if offices else None
        if self.instance.pk:
            del self.fields["office"]
        if self.instance.school_year:
            del self.fields["kind"]


class WhyForm(forms.Form):
    """Why something is sent back or withdrawn."""

    text = ReasonField(
        label=_("Why"),
        rows=2,
        help_text=_("At least 10 characters. It goes on the record, not on the public site."),
    )
