"""What proves a published list: made here, checked by the program that anybody can read and run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from approvals.notices import actions, freezing, proofs
from approvals.notices.models import Notice
from tests.approvals.notices.conftest import Place, unguarded
from tests.approvals.notices.test_public_site import OVER, WITHDRAWN, address, text
from tests.factories import set_training_date
from tests.workflows.test_seal import tamper, write
from workflows.models import TreeHead
from workflows.seal.sealing import seal_now

pytestmark = pytest.mark.django_db
TOOL = Path(settings.BASE_DIR) / "tools" / "verify_notice.py"


def proof_address(notice: Notice) -> str:
    return reverse("public:proof", args=[notice.public_id])


def run(folder: Path, proof: Any, *options: str, **files: str) -> tuple[int, str]:
    """The stand-alone program, without anything of this project on its path."""
    (folder / "proof.json").write_text(json.dumps(proof) if isinstance(proof, dict) else proof)
    arguments = list(options)
    for name, content in files.items():
        (folder / name).write_text(content)
        arguments += [f"--{name}", str(folder / name)]
    done = subprocess.run(
        [sys.executable, "-I", str(TOOL), str(folder / "proof.json"), *arguments],
        cwd=folder, capture_output=True, text=True, check=False, env={},
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.fixture
def proof(school_place: Place, client: Client) -> dict[str, Any]:
    """The proof of a published list, as the public site gives it, among other lines of the record."""
    write(300)
    notice = school_place.published()
    assert client.get(proof_address(notice)).status_code == 404, "not sealed yet"
    assert "proof.json" not in text(client.get(address(notice)))
    while seal_now():
        pass
    assert proof_address(notice) in text(client.get(address(notice)))
    given: dict[str, Any] = client.get(proof_address(notice)).json()
    return given


def test_the_program_says_true_of_what_was_published(proof: dict[str, Any], tmp_path: Path) -> None:
    for options in (["--key", proof["key"]], []):
        status, said = run(tmp_path, proof, *options, head=proof["head"])
        assert (status, said[:5]) == (0, "true:"), said
        assert "3 rows" in said


def test_a_proof_alone_proves_nothing(proof: dict[str, Any], tmp_path: Path) -> None:
    status, said = run(tmp_path, proof)
    assert (status, said[:8]) == (2, "unproved")
    assert proof["key"] in said


def test_a_proof_names_no_official(school_place: Place, proof: dict[str, Any]) -> None:
    for who in (school_place.signer, school_place.author):
        assert who.key not in json.dumps(proof)
        assert who.name not in json.dumps(proof, ensure_ascii=False)


FORGERIES = {
    "a row of the list": lambda proof: {"list": proof["list"].replace("姓名", "名姓")},
    "the list and its hash in the line": lambda proof: {"line": proof["line"].replace('"publish"', '"publish" ')},
    "the salt": lambda proof: {"salt": "00" * 16},
    "the position": lambda proof: {"position": proof["position"] - 1},
    "the path": lambda proof: {"path": proof["path"][:-1]},
    "a head without signature": lambda proof: {"head": proof["head"].split("\n\n")[0]},
    "the size in the head": lambda proof: {"head": proof["head"].replace("\n3", "\n4", 1)},
    "the key": lambda proof: {"key": "AAAA" * 10 + "AAA="},
    "the format": lambda proof: {"format": "zhuxue-proof-9"},
    "everything": lambda proof: dict.fromkeys(proof, ""),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_the_program_says_false_of_what_was_forged(proof: dict[str, Any], tmp_path: Path, what: str) -> None:
    status, said = run(tmp_path, proof | FORGERIES[what](proof))
    assert (status, said[:6]) == (1, "false:"), said


def test_the_program_survives_what_is_no_proof(tmp_path: Path) -> None:
    for content in ("", "[]", "nonsense", '{"format": 3}'):
        status, said = run(tmp_path, content)
        assert (status, said[:6]) == (1, "false:")


def test_a_kept_head_is_shown_to_be_continued(proof: dict[str, Any], tmp_path: Path, client: Client) -> None:
    write(70)
    seal_now()
    later = client.get(reverse("public:newest_head")).content.decode()
    status, said = run(tmp_path, proof, head=later)
    assert status == 1
    assert "--continues" in said
    sizes = list(TreeHead.objects.order_by("size").values_list("size", flat=True))
    between = client.get(reverse("public:heads_json"), {"from": sizes[-2], "to": sizes[-1]}).content.decode()
    status, said = run(tmp_path, proof, head=later, continues=between)
    assert status == 0, said


def test_a_forked_log_does_not_continue_a_kept_head(
    proof: dict[str, Any], tmp_path: Path, client: Client, settings: Any
) -> None:
    tamper(
        "UPDATE workflows_record SET reason_text = 'x' WHERE id = (SELECT min(id) FROM workflows_record)",
        "DELETE FROM workflows_sealedline", "DELETE FROM workflows_sealtile", "DELETE FROM workflows_treehead",
    )  # fmt: skip
    while seal_now():
        pass
    forked = client.get(reverse("public:newest_head")).content.decode()
    status, said = run(tmp_path, proof, head=forked)
    assert status == 1
    assert "forked" in said


# ---------------------------------------------------------------- the public pages


def test_the_heads_are_public_pages_without_session_or_cookie(proof: dict[str, Any], client: Client) -> None:
    page = text(client.get(reverse("public:heads")))
    assert "机器时间" in page
    assert "按演示的训练日期" in page
    for url in (reverse("public:heads"), reverse("public:heads_json"), reverse("public:newest_head")):
        response = client.get(url)
        assert response.status_code == 200
        assert not response.cookies
        assert "姓名" not in text(response)
    assert client.get(reverse("public:heads_json")).json()["key"] == proof["key"]
    head = TreeHead.objects.order_by("-size").first()
    assert text(client.get(reverse("public:head", args=[head.size]))) == head.note
    for odd in (reverse("public:head", args=[987654]), reverse("public:heads_json") + "?from=5&to=2"):
        assert client.get(odd).status_code == 404


def test_nothing_has_been_sealed_yet(client: Client) -> None:
    assert "尚无" in text(client.get(reverse("public:heads")))
    assert client.get(reverse("public:newest_head")).status_code == 404


def test_a_line_that_was_taken_off_stands_in_the_proof_as_a_hash(
    school_place: Place, client: Client, tmp_path: Path
) -> None:
    notice = school_place.published()
    while seal_now():
        pass
    [gone, *stay] = notice.lines.order_by("number")
    actions.withdraw_line(gone.pk, school_place.reviewer, WITHDRAWN)
    assert "proof.json" in text(client.get(address(notice)))
    given = client.get(proof_address(notice)).json()
    assert gone.shown["姓名"] not in given["list"]
    assert all(line.shown["姓名"] in given["list"] for line in stay)
    status, said = run(tmp_path, given, head=given["head"])
    assert status == 0, said
    assert "1 of them withdrawn" in said
    hidden = json.loads(given["list"])
    hidden["rows"][1], hidden["salts"][1] = "00" * 32, ""
    status, said = run(tmp_path, given | {"list": freezing.canonical(hidden).decode()}, head=given["head"])
    assert (status, "its hash differs" in said) == (1, True)


def test_a_list_of_the_first_format_has_no_proof_any_more_once_a_line_was_taken_off(
    school_place: Place, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_format(notice: Notice) -> bytes:
        content = json.loads(frozen_bytes(notice))
        del content["salts"]
        return freezing.canonical(content | {"format": "zhuxue-notice-1"})

    frozen_bytes = freezing.frozen_bytes
    monkeypatch.setattr(freezing, "frozen_bytes", first_format)
    notice = school_place.published()
    while seal_now():
        pass
    given = client.get(proof_address(notice)).json()
    assert run(tmp_path, given, head=given["head"])[0] == 0, "the program reads both formats"
    assert verified()[0] == 0
    actions.withdraw_line(notice.lines.first().pk, school_place.reviewer, WITHDRAWN)
    assert client.get(proof_address(notice)).status_code == 404
    assert "proof.json" not in text(client.get(address(notice)))


def test_the_proof_goes_with_the_list(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    seal_now()
    set_training_date(OVER)
    assert client.get(proof_address(notice)).status_code == 410


# ---------------------------------------------------------------- the command


def verified(*options: str) -> tuple[int, dict[str, Any]]:
    from io import StringIO

    out, status = StringIO(), 0
    try:
        call_command("verify_record", "--json", *options, stdout=out)
    except SystemExit as left:
        status = int(left.code or 0)
    return status, json.loads(out.getvalue())


def test_the_command_proves_the_record_and_the_lists(proof: dict[str, Any]) -> None:
    status, said = verified()
    assert (status, said["ok"], said["notices"], said["findings"]) == (0, True, 1, [])


SWAPPED = {
    "UPDATE notices_notice SET frozen = convert_to(replace(convert_from(frozen, 'UTF8'), '学', '校'), 'UTF8')": (
        "list_changed"
    ),
    "UPDATE notices_noticeline SET shown = jsonb_set(shown, '{姓名}', '\"别人\"') WHERE number = 1": "rows_changed",
    "DELETE FROM notices_noticeline WHERE number = 2": "rows_changed",
}


def test_a_list_that_was_published_twice_is_no_proof(proof: dict[str, Any], client: Client) -> None:
    notice = Notice.objects.get()
    line = proofs.published_line(notice)
    assert line is not None
    line.pk = None
    line.save()
    while seal_now():
        pass
    assert client.get(proof_address(notice)).status_code == 404
    assert [finding["code"] for finding in verified()[1]["findings"]] == ["list_twice"]


@pytest.mark.parametrize(("statement", "code"), SWAPPED.items())
def test_a_list_that_was_swapped_is_named(proof: dict[str, Any], statement: str, code: str) -> None:
    unguarded(statement)
    status, said = verified()
    assert status == 1
    [finding] = said["findings"]
    assert finding["code"] == code
    assert Notice.objects.get().public_id in finding["message"]


def test_the_command_takes_a_day_and_kept_heads(proof: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "head.txt").write_text(proof["head"])
    status, said = verified("--since", "2020-01-01", "--head", str(tmp_path / "head.txt"))
    assert (status, said["heads"]) == (0, TreeHead.objects.count() + 1)
    (tmp_path / "head.txt").write_text("nonsense")
    assert verified("--head", str(tmp_path / "head.txt"))[0] == 1


def test_a_published_list_says_which_line_published_it(school_place: Place) -> None:
    notice = school_place.published()
    line = proofs.published_line(notice)
    assert line is not None
    assert line.data["sha256"] == notice.sha256
