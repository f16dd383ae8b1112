"""The components that every room's pages are made of."""

import re
from typing import Any

import pytest
from django import forms
from django.template import engines
from django.utils import translation
from django_cotton.compiler_regex import CottonCompiler


def rendered(source: str, **context: Any) -> str:
    template = engines["django"].from_string(CottonCompiler().process(source))
    with translation.override("en"):
        return re.sub(r"\s+", " ", template.render(context)).strip()


class PupilForm(forms.Form):
    name = forms.CharField(label="Name", help_text="As on the ID card")
    level = forms.ChoiceField(label="Level", choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    boarder = forms.BooleanField(label="Boarder", required=False)


def test_a_state_is_told_in_words_and_by_its_tone() -> None:
    html = rendered('<c-state :state="state" />', state="rejected")
    assert html == '<span class="badge badge-bad">Rejected</span>'


def test_a_state_of_something_else_brings_its_own_words() -> None:
    assert ">On public notice<" in rendered('<c-state state="published" label="On public notice" />')


def test_an_amount_shows_its_unit_where_wanted() -> None:
    assert ">1,150.00<" in rendered('<c-money :value="value" />', value=1150)
    assert "¥" in rendered('<c-money :value="value" unit="yes" />', value=1150)


def test_a_field_ties_label_help_and_errors_to_its_widget() -> None:
    html = rendered('<c-field :field="form.name" />', form=PupilForm({}))
    assert '<label for="id_name">' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html


def test_a_group_of_choices_is_a_fieldset_with_its_legend() -> None:
    html = rendered('<c-field :field="form.level" />', form=PupilForm())
    assert "<fieldset" in html
    assert "<legend>Level" in html


def test_the_errors_of_a_form_lead_to_their_fields() -> None:
    html = rendered('<c-form-errors :form="form" />', form=PupilForm({}))
    assert 'role="alert"' in html
    assert '<a href="#id_name">Name</a>' in html


def test_a_form_without_errors_says_nothing() -> None:
    assert rendered('<c-form-errors :form="form" />', form=PupilForm()) == ""


def test_a_reason_offers_the_codes_of_its_outcome_only() -> None:
    html = rendered('<c-reason name="why" outcome="return" />')
    assert 'name="why_code"' in html
    assert 'name="why_text"' in html
    assert "evidence_missing" in html
    assert "over_quota" not in html
    assert "10 to 1,000 characters" in html


def test_the_pager_leads_back_and_on_by_keys() -> None:
    html = rendered('<c-pager :prev="prev" :next="next" text="1–50" />', prev="", next="?after=9")
    assert 'rel="next" href="?after=9"' in html
    assert 'rel="prev"' not in html


def test_the_pager_reads_a_page_object_too() -> None:
    assert 'href="?before=1"' in rendered('<c-pager :page="page" />', page={"prev_url": "?before=1"})


@pytest.mark.parametrize(
    ("status", "words"),
    [("done", "done"), ("current", "here now"), ("skipped", "not needed"), ("ahead", "still to come")],
)
def test_steps_tell_in_words_where_a_case_stands(status: str, words: str) -> None:
    html = rendered('<c-stepper :steps="steps" />', steps=[{"name": "x", "label": "County review", "status": status}])
    assert words in html
    assert ('aria-current="step"' in html) == (status == "current")


def test_an_empty_state_says_what_to_do() -> None:
    assert "Upload one" in rendered('<c-empty title="No roster">Upload one</c-empty>')


def test_progress_is_told_in_numbers() -> None:
    html = rendered('<c-progress :done="done" :total="total" label="Rows" />', done=5, total=20)
    assert 'value="5" max="20"' in html
    assert "5 / 20" in html


def test_what_a_person_wrote_is_never_taken_for_markup() -> None:
    nasty = "<script>alert(1)</script>"
    for source in (
        '<c-state state="x" :label="text" />',
        '<c-empty :title="text" />',
        '<c-facts :items="items" />',
        '<c-timeline :lines="lines" />',
    ):
        html = rendered(source, text=nasty, items=[("a", nasty)], lines=[{"act": "open", "reason_text": nasty}])
        assert "<script>" not in html
        assert "&lt;script&gt;" in html
