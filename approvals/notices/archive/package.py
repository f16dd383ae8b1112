"""公示档案: the evidence package of a notice, a zip that says the same bytes whenever it is made of the same.

    list.json        the list as it was frozen; editions/N.json those that were replaced
    list.csv         the same to read, with what became of each line
    notice.pdf       the list on paper, as it ended
    notice.json      who, when, counts, objections (no names), views, proof of posting, what the photos show
    record.json      the notice's lines of the record, each with its proof; head.txt the signed tree head they lead to
    photos/N.jpg     the board
    manifest.json    SHA-256 of each file

`tools/verify_notice.py` checks it without this system.
"""

import base64
import csv
import io
import json
import zipfile
from collections import defaultdict
from hashlib import sha256
from typing import Any

from django.db.models import Count, Sum

from approvals.applications import evidence_store
from approvals.notices import wording
from approvals.notices.archive.models import Dossier
from approvals.notices.models import Notice
from approvals.notices.objections.queries import summary
from workflows.clock import CHINA
from workflows.models import Record, SealedLine, TreeHead
from workflows.seal import heads
from workflows.seal.sealing import newest_head, proof_of

FORMAT = "zhuxue-archive-1"
_EPOCH = (1980, 1, 1, 0, 0, 0)
STATES = {"listed": "公示", "objected": "有异议", "removed": "已移除", "confirmed": "已确认"}
README = """公示档案

用 verify_notice.py（Python 3.9 及以上，需 cryptography）核验，不需要连接本系统：

    python verify_notice.py 本文件.zip --head 另行保存的树头.txt

核验内容：清单（manifest.json）与各文件的 SHA-256；名单与记录中的哈希；记录逐行在封存树中；树头签名；张贴照片。
本压缩包自身的 SHA-256 记在县记录的“package”一行。
含学生姓名，只供公示单位和审计使用，不得公开。
"""


def head_for(notice: Notice, upto: int, size: int | None) -> TreeHead | None:
    """The tree head against which its lines of the record are proved; None until all of them are sealed."""
    head = TreeHead.objects.filter(size=size).first() if size is not None else newest_head()
    lines = _lines(notice, upto)
    if head is None or not lines:
        return None
    sealed = SealedLine.objects.filter(line__in=lines, position__lt=head.size).count()
    return head if sealed == len(lines) else None


def _lines(notice: Notice, upto: int) -> list[int]:
    found = Record.objects.filter(about="notice", about_id=notice.pk, id__lte=upto).exclude(act="open_package")
    return list(found.order_by("id").values_list("id", flat=True))


def made(notice: Notice, upto: int, head: TreeHead, printed: bytes) -> bytes:
    """The package's bytes."""
    frozen = bytes(notice.frozen or b"")
    files = {
        "README.txt": README.encode(),
        "head.txt": head.note.encode(),
        "list.csv": _readable(notice, frozen),
        "list.json": frozen,
        "notice.json": _json(_facts(notice, upto)),
        "notice.pdf": printed,
        "record.json": _json(_proofs(notice, upto, head)),
    }
    for number, data in _editions(notice):
        files[f"editions/{number:03}.json"] = data
    for number, photo in enumerate(notice.photos.filter(removed_at=None).order_by("id"), 1):
        files[f"photos/{number:02}.jpg"] = evidence_store.read(photo.file)
    listed = {name: sha256(data).hexdigest() for name, data in files.items()}
    files["manifest.json"] = _json({"format": FORMAT, "notice": notice.public_id, "files": listed})
    return _zip(files)


def _zip(files: dict[str, bytes]) -> bytes:
    """Stored, not compressed: no version of a library decides about its bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as box:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            box.writestr(entry, files[name])
    return made.getvalue()


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1, default=str) + "\n").encode()


def _editions(notice: Notice) -> list[tuple[int, bytes]]:
    """Lists that were public and replaced by another, oldest first."""
    earlier = notice.editions.exclude(sha256=notice.sha256).order_by("number")
    return [(row.number, bytes(row.frozen)) for row in earlier]


def _proofs(notice: Notice, upto: int, head: TreeHead) -> dict[str, Any]:
    lines = []
    for line in _lines(notice, upto):
        proof = proof_of(line, head)
        if proof is None:
            raise LookupError(f"line {line} of the record is not under the head over {head.size}")
        lines.append(
            {
                "line": proof.line.decode(),
                "salt": proof.salt.hex(),
                "position": proof.position,
                "path": [each.hex() for each in proof.path],
            }
        )
    return {"head": head.note, "key": base64.b64encode(heads.public_key()).decode(), "lines": lines}


def _readable(notice: Notice, frozen: bytes) -> bytes:
    """The published rows as CSV (UTF-8 with its mark, for Excel), each with what became of it."""
    content = json.loads(frozen)
    columns, became = content["columns"], defaultdict(list)
    for state, shown in notice.lines.order_by("-number").values_list("state", "shown"):
        became[tuple(shown.get(heading, "") for heading in columns)].append(STATES.get(state, state))
    made = io.StringIO()
    table = csv.writer(made)
    table.writerow([*columns, "状态"])
    for row in content["rows"]:
        states = became[tuple(row)]
        table.writerow([*(_plain(cell) for cell in row), states.pop() if states else STATES["removed"]])
    return b"\xef\xbb\xbf" + made.getvalue().encode()


def _plain(cell: str) -> str:
    """No cell is a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell


# ---------------------------------------------------------------- what is told of it


def _facts(notice: Notice, upto: int) -> dict[str, Any]:
    dossier = Dossier.objects.filter(notice=notice).first() or Dossier()
    states = dict(notice.lines.values_list("state").annotate(Count("id")).order_by())
    return {
        "public_id": notice.public_id,
        "title": notice.title,
        "step": notice.step,
        "organisation": {"code": notice.organisation.code, "name": wording.issuer(notice.organisation)},
        "programme": {"code": notice.programme_id, "name": notice.programme.name},
        "term": notice.term,
        "state": notice.state,
        "sha256": notice.sha256,
        "period": {"days": notice.days, "day_kind": notice.day_kind, "published_on": notice.published_on,
                   "ends_on": notice.ends_on, "provisional": notice.provisional},
        "conclusion": {"code": notice.conclusion, "text": notice.conclusion_text,
                       "void_reason": notice.void_reason},
        "edition": notice.edition,
        "supplements": notice.supplements.public_id if notice.supplements else "",
        "seal_date": notice.sealed_on,
        "counts": {"published": notice.line_count, "confirmed": states.get("confirmed", 0),
                   "removed": states.get("removed", 0), "views": views_of(notice)},
        "views_by_day": {str(day): count for day, count in _views(notice)},
        "objections": summary(notice),
        "acts": _acts(notice, upto),
        "posting": {"proof": dossier.proof, "no_photo_reason": dossier.no_photo_reason},
        "photos": [
            {"file": f"photos/{number:02}.jpg", "moment": photo.moment, "taken_on": photo.taken_on,
             "place": photo.place, "camera": _when(photo.taken_at), "sha256": photo.sha256}
            for number, photo in enumerate(notice.photos.filter(removed_at=None).order_by("id"), 1)
        ],
    }  # fmt: skip


def _when(at: Any) -> str:
    return at.astimezone(CHINA).isoformat(timespec="seconds") if at else ""


def _acts(notice: Notice, upto: int) -> list[dict[str, str]]:
    """Who did what under which post, and when: drafting, signing, publishing, ending, taking down."""
    lines = Record.objects.filter(pk__in=_lines(notice, upto)).order_by("id")
    return [
        {"act": line.act, "at": _when(line.business_at), "by": line.actor_name, "post": line.post,
         "from": line.state_from, "to": line.state_to, "reason": line.reason_code}
        for line in lines
    ]  # fmt: skip


def _views(notice: Notice) -> list[tuple[Any, int]]:
    return list(notice.views.order_by("day").values_list("day", "count"))


def views_of(notice: Notice) -> int:
    """How often its public page was asked for."""
    return int(notice.views.aggregate(total=Sum("count"))["total"] or 0)
