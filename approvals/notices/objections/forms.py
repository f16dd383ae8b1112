"""What people type about objections, in public and at the offices. Whether it may be done is judged by the actions."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.applications.evidence_files import MB, Paper, accept
from approvals.applications.refusals import Refused as PaperRefused
from approvals.notices.objections import captcha, words
from approvals.notices.objections.models import GROUNDS, OUTCOMES
from approvals.notices.refusals import SENTENCES
from approvals.organisations.reasons import ReasonField, WordsField
from approvals.people.identity import plain_text
from workflows.reasons import Reason

MOST_SAID = 3000
"""Characters of a statement."""
BIGGEST_PAPER = 10 * MB
MARK = "仅限核查公示异议使用"
"""What is written across a picture that is added."""


class _Asking(forms.Form):
    """A public form with a question that a person answers; `about` names what it belongs to."""

    token = forms.CharField(widget=forms.HiddenInput, required=False)
    answer = forms.CharField(
        label="", max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        help_text=_("This keeps programs from filling in the form. A number will do."),
    )  # fmt: skip

    def __init__(self, about: str, data: Any = None, files: Any = None, **kwargs: Any) -> None:
        super().__init__(data, files, **kwargs)
        self.about = about
        self.wrong_nonce = ""
        """Of a question that was answered wrongly."""
        given = self.data.get("token", "") if self.is_bound else ""
        self.question = captcha.asked(given, about)
        self._put(self.question or captcha.ask(about))

    def _put(self, question: captcha.Question) -> None:
        """Puts a question on the page: the one that was asked, or a new one."""
        self["answer"].label = self.fields["answer"].label = question.words
        self.fields["token"].initial = question.token
        if self.is_bound:
            self.data = self.data.copy()
            self.data["token"] = question.token

    def ask_again(self) -> None:
        """A new question, since this one is used up; what was typed otherwise stays."""
        self._put(captcha.ask(self.about))
        self.data["answer"] = ""

    def clean_answer(self) -> str:
        given = self.cleaned_data["answer"]
        if self.question is None:
            self.ask_again()
            raise forms.ValidationError(_("The question was too old. Please answer the new one."), "question_old")
        if not self.question.is_answer(given):
            self.wrong_nonce = self.question.nonce
            self.ask_again()
            raise forms.ValidationError(_("That is not the answer. Please answer the new question."), "answer_wrong")
        return str(given)


NAMED, ANONYMOUS = "named", "anonymous"


class ObjectForm(_Asking):
    """Anybody's objection to one list."""

    line = forms.CharField(
        label=_("Which line"), required=False, max_length=8,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("Its number in the first column. Leave it empty if you object to the whole list."),
    )  # fmt: skip
    ground = forms.ChoiceField(label=_p("an objection", "What is wrong"), choices=[("", _("Please choose")), *GROUNDS])
    statement = WordsField(
        label=_("What you know of it"), most=MOST_SAID, rows=6,
        help_text=_("What, when, how you know. Do not write here who you are, if nobody is to know it."),
    )  # fmt: skip
    paper = forms.FileField(
        label=_("A photo or PDF"), required=False, widget=forms.FileInput(attrs={"accept": "image/*,application/pdf"}),
        help_text=_("Optional, at most 10 MB. Only the person who looks into it can open it."),
    )  # fmt: skip
    who = forms.ChoiceField(
        label=_("Who you are"), widget=forms.RadioSelect,
        choices=[
            (NAMED, _("I give my name. Only the person who looks into it can read it, and each reading is recorded.")),
            (ANONYMOUS, _("I stay unknown. Nobody can ask me back; only the receipt number shows me the answer.")),
        ],
    )  # fmt: skip
    name = forms.CharField(
        label=_("Your name"), required=False, max_length=50, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Leave this and the next empty to stay unknown."),
    )  # fmt: skip
    contact = forms.CharField(label=_("How you can be reached"), required=False, max_length=100,
                              widget=forms.TextInput(attrs={"autocomplete": "off"}),
                              help_text=_("A phone number, for instance."))  # fmt: skip
    to = forms.ChoiceField(
        label=_("Who is to handle it"), widget=forms.RadioSelect, initial="office",
        choices=[
            ("office", _("The school")),
            ("county", _("The county's aid centre, because it is about the school itself")),
        ],
    )  # fmt: skip

    field_order = ["line", "ground", "statement", "paper", "who", "name", "contact", "to", "answer", "token"]

    def __init__(self, *args: Any, to_county: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if to_county:
            del self.fields["to"]

    def clean_line(self) -> int | None:
        text = plain_text(self.cleaned_data["line"]).strip().strip("第号")
        if not text:
            return None
        if not (text.isascii() and text.isdigit()) or int(text) == 0:
            raise forms.ValidationError(SENTENCES["no_such_line"] % {"number": text}, "no_such_line")
        return int(text)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        given["paper"] = self._paper(given.get("paper"))
        if given.get("who") == NAMED:
            for field in ("name", "contact"):
                if not given.get(field):
                    self.add_error(field, forms.ValidationError(
                        _("Please fill this in, or choose to stay unknown."), "named_how"))  # fmt: skip
        if given.get("who") == ANONYMOUS and (given.get("name") or given.get("contact")):
            self.add_error("who", forms.ValidationError(
                _("You chose to stay unknown, but gave a name or how to reach you. Please take it out, or choose to "
                  "give your name."), "anonymous_how"))  # fmt: skip
        return given

    def _paper(self, file: Any) -> Paper | None:
        """The paper, looked at only once the question is answered: that costs more than all the rest."""
        if not file or "answer" not in self.cleaned_data:
            return None
        try:
            return accept(file, MARK)
        except PaperRefused as refused:
            self.add_error("paper", forms.ValidationError(refused.message, refused.code))
        return None


class ReceiptForm(forms.Form):
    """A receipt number, sent in the body so that no address holds it."""

    receipt = forms.CharField(
        label=_("Receipt number"), max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        help_text=_("12 digits, such as 4021 7735 9268."),
    )  # fmt: skip


class AppealForm(ReceiptForm):
    """Why somebody is not content with the answer."""

    text = WordsField(
        label=_("Why the answer is not right"), most=MOST_SAID, rows=5,
        help_text=_("Do not write here who you are, if nobody is to know it."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["receipt"].widget = forms.HiddenInput()


# ---------------------------------------------------------------- at the offices


class AcceptForm(forms.Form):
    """Whom of the office it complains of."""

    complained = forms.MultipleChoiceField(
        label=_("Whom of the office it complains of"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("They cannot look into it. If it is yourself, the county handles it."),
    )  # fmt: skip

    def __init__(self, staff: list[tuple[UUID, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["complained"].choices = [(str(person), name) for person, name in staff]  # type: ignore[attr-defined]

    @property
    def people(self) -> list[UUID]:
        """Asked for after `is_valid()`."""
        return [UUID(person) for person in self.cleaned_data["complained"]]


class NotAcceptForm(forms.Form):
    """Why it is not looked into."""

    reason_code = forms.ChoiceField(label=_("Reason"))
    reason_text = ReasonField(
        label=_("In words"),
        help_text=_("The author of the objection reads this. No names, and nothing of anybody's family."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, prefix="refuse", **kwargs)
        self.fields["reason_code"].choices = [  # type: ignore[attr-defined]
            ("", _("Please choose")), *words.NOT_ACCEPTED.items(),
        ]  # fmt: skip

    @property
    def reason(self) -> Reason:
        """Asked for after `is_valid()`."""
        return Reason(self.cleaned_data["reason_code"], self.cleaned_data["reason_text"].strip())


class PurposeForm(forms.Form):
    """What the author's identity, or the paper, is opened for."""

    purpose = forms.ChoiceField(
        label=_p("objection", "Purpose"), choices=[("", _("Please choose")), *words.PURPOSES.items()]
    )


class DecideForm(forms.Form):
    """What is decided, and what the author of the objection is told."""

    outcome = forms.ChoiceField(label=_p("objection", "Decision"), widget=forms.RadioSelect, choices=OUTCOMES)
    reply = WordsField(
        label=_("Written reply"), rows=8,
        help_text=_("Its author reads this by receipt number. No names, numbers, addresses or family circumstances."),
    )  # fmt: skip
