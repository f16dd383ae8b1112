"""What an office enters for the archive of a notice."""

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.notices.archive.models import MOMENTS, BoardPhoto, Dossier


class PhotoForm(forms.ModelForm):
    """A photo of the board: what it shows, when and where it was taken."""

    file = forms.FileField(label=_("Photo"), widget=forms.ClearableFileInput(attrs={"accept": "image/*"}))
    moment = forms.ChoiceField(label=_("What it shows"), choices=MOMENTS)

    class Meta:
        model = BoardPhoto
        fields = ("file", "moment", "taken_on", "place")
        widgets = {"taken_on": forms.DateInput(attrs={"type": "date"})}


class PostingForm(forms.ModelForm):
    """Where and when the list hung, and why there is no photo of it."""

    class Meta:
        model = Dossier
        fields = ("proof", "no_photo_reason")
        widgets = {"proof": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "proof": _("Where, from when to when, and who put it up and took it down. It is kept in the archive."),
            "no_photo_reason": _("Only where there is none."),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["proof"].required = True
