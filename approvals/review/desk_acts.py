"""What a reviewer can do with open tasks besides deciding them, as pages offer it: each act, its form, its words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.applications.asking import WANTED, AskPapers
from approvals.organisations.access import number
from approvals.organisations.authority import Offered, actor_of
from approvals.organisations.models import User
from approvals.organisations.reasons import ReasonField
from approvals.organisations.roles import words_of
from approvals.programmes.evidence import EVIDENCE
from workflows import Reason, acts
from workflows.actors import Actor
from workflows.panels import SEES
from workflows.reasons import MIN_LENGTH, reasons_for, refusal_of
from workflows.refusals import SENTENCES

JUDGES = "judges"
"""Stands for the permission that opens the step at which the tasks wait."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One act as pages offer it. `offers` is the permission of those among whom a person is chosen (`person`), or
    several (`people`); `reason` tells whether a reason is asked for: never, perhaps, always.
    """

    name: str
    label: Promise
    make: Callable[[Sequence[Actor]], acts.Act]
    person: str = ""
    offers: str = ""
    reason: str = ""
    text: str = ""
    """Words instead of a reason, and the code they stand under: for a comment, or for what papers shall show."""
    words: Promise | str = ""
    """What these words are called on the form."""
    papers: bool = False
    """Kinds of papers are chosen."""
    key: str = ""
    """The key on the keyboard."""

    @property
    def plain(self) -> bool:
        """Nothing to fill in: a button is enough."""
        return not (self.papers or self.person or self.reason or self.text)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("claim", _p("act", "Take on"), lambda to: acts.Claim(), key="c"),
        Kind("release", _p("act", "Give back"), lambda to: acts.Release(), key="b"),
        Kind("take_over", _p("act", "Take over"), lambda to: acts.TakeOver()),
        Kind("transfer", _p("act", "Hand on"), lambda to: acts.Transfer(to[0]), "person", JUDGES, "perhaps", key="h"),
        Kind(
            "add_signer", _p("act", "Add signers"), lambda to: acts.AddSigners(to), "people", SEES, "perhaps", key="q"
        ),
        Kind("remove_signer", _p("act", "Take signature off"), lambda to: acts.RemoveSigner(to[0]), "", "", "always"),
        Kind("unsign", _p("act", "Take signature back"), lambda to: acts.Unsign()),
        Kind(
            "ask_papers",
            _p("act", "Ask for papers"),
            lambda to: AskPapers([], ""),
            text=WANTED,
            words=_("What they shall show"),
            papers=True,
            key="p",
        ),
        Kind("suspend", _p("act", "Suspend"), lambda to: acts.Suspend(), "", "", "always", key="v"),
        Kind("resume", _p("act", "Resume"), lambda to: acts.Resume(), "", "", "always", key="v"),
        Kind("step_aside", _p("act", "Step aside"), lambda to: acts.StepAside(), "", "", "always", key="z"),
        Kind("copy_to", _p("act", "Copy to"), lambda to: acts.CopyTo(to), "people", SEES, key="y"),
        Kind(
            "comment",
            _p("act", "Comment"),
            lambda to: acts.Comment(),
            text="comment",
            words=_p("act", "Comment"),
            key="o",
        ),
        Kind("watch", _p("act", "Watch"), lambda to: acts.Watch(), key="w"),
        Kind("unwatch", _p("act", "Watch no longer"), lambda to: acts.Unwatch(), key="w"),
        Kind("urge", _p("act", "Urge"), lambda to: acts.Urge(), key="e"),
    )
}


class ActForm(forms.Form):
    """What one act asks: whom, why, or words. `offered` are the people to choose from."""

    act = forms.ChoiceField(choices=[(name, name) for name in KINDS], widget=forms.HiddenInput)
    person = forms.ChoiceField(label=_("To whom"), required=False)
    people = forms.MultipleChoiceField(label=_("Whom"), required=False, widget=forms.CheckboxSelectMultiple)
    papers = forms.MultipleChoiceField(
        label=_("Which papers"),
        choices=list(EVIDENCE.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Please choose at least one kind of paper.")},
    )
    signer = forms.CharField(required=False, widget=forms.HiddenInput, max_length=64)
    """Key of the person whose signature is taken off."""
    reason_code = forms.ChoiceField(label=_("Reason"), required=False)
    reason_text = ReasonField(label=_("In words"), least=0, required=False, help_text=_("At most 1,000 characters."))

    def __init__(
        self, data: Any = None, *, kind: Kind, offered: Iterable[Offered] = (), signer: str = "", **also: Any
    ) -> None:
        self.kind = kind
        super().__init__(
            data, initial={"act": kind.name, "signer": signer}, auto_id=f"{kind.name}{signer[:8]}-%s", **also
        )
        choices = [(str(who.user_id), f"{who.name} · {words_of(who.post)}") for who in offered]
        self.nobody = bool(kind.person) and not choices
        """Somebody is to be chosen, and there is nobody."""
        wanted = {
            "person": kind.person == "person",
            "people": kind.person == "people",
            "signer": kind.name == "remove_signer",
            "papers": kind.papers,
            "reason_code": bool(kind.reason),
            "reason_text": bool(kind.reason or kind.text),
        }
        for name, asked in wanted.items():
            if not asked:
                del self.fields[name]
        if kind.person:
            field: Any = self.fields[kind.person]
            field.choices = choices if kind.person == "people" else [("", _("Please choose")), *choices]
            field.required = True
            field.error_messages["required"] = _("Please choose somebody.")
        if kind.reason:
            code: Any = self.fields["reason_code"]
            code.choices = [("", _("Please choose")), *reasons_for(kind.name)]
            code.required = kind.reason == "always"
            code.error_messages["required"] = SENTENCES["reason_required"]
        words = self.fields.get("reason_text")
        if words is not None:
            words.label = kind.words or words.label
            words.required = kind.reason == "always" or bool(kind.text)
            words.error_messages["required"] = SENTENCES["reason_too_short" if kind.reason else "reason_required"]
            if kind.reason == "always" or kind.papers:
                words.help_text = _("10 to 1,000 characters.")
                words.widget.attrs["minlength"] = MIN_LENGTH

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        asked = self.kind.reason or self.kind.papers
        refused = refusal_of(self.reason, self.kind.name, self.kind.reason != "perhaps") if asked else None
        if refused and not self.errors:
            in_words = self.kind.papers or "short" in refused
            self.add_error("reason_text" if in_words else "reason_code", SENTENCES[refused])
        return values

    def begin_here(self) -> None:
        """Has the page of this form stand on its first field."""
        for field in self.visible_fields()[:1]:
            field.field.widget.attrs["autofocus"] = True

    @property
    def reason(self) -> Reason | None:
        """The reason given, or the words of a comment."""
        code, text = self.cleaned_data.get("reason_code", ""), self.cleaned_data.get("reason_text", "")
        if self.kind.text:
            return Reason(self.kind.text, text)
        if not code and text.strip() and self.kind.reason:
            code = "other"
        return Reason(code, text) if code else None

    def made(self) -> acts.Act:
        """The act as the engine takes it."""
        chosen = self.cleaned_data.get("people") or [self.cleaned_data.get("person") or ""]
        users = User.objects.in_bulk([key for key in map(number, chosen) if key is not None])
        to: list[Actor] = [actor_of(user) for user in users.values()]
        if self.kind.papers:
            return AskPapers(self.cleaned_data["papers"], self.cleaned_data["reason_text"])
        if self.kind.name == "remove_signer":
            to = [Known(self.cleaned_data["signer"])]
        return self.kind.make(to)


@dataclass(frozen=True, slots=True)
class Known:
    """A natural person of whom only the key matters."""

    key: str
    name: str = ""

    def permits(self, permission: str, paths: Iterable[str]) -> dict[str, str]:
        return {}
