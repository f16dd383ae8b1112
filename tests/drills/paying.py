"""One process of the crash drill of the money: makes, sends, answers and reissues batches until it is killed.

    python -m tests.drills.paying DATABASE

Reads a seed a line; for each it forks a worker, prints its process number, and waits for its end.
"""

import os
import random
import sys
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import django

WHY = "经核实，按照规定办理此事项。"
ROLES = {
    "maker": "finance_maker",
    "checker": "finance_checker",
    "approver": "finance_approver",
    "treasury": "treasury_officer",
    "officer": "aid_officer",
    "head": "school_head",
}
ENDED = ("closed", "cancelled")
UNSENT = ("draft", "submitted", "reviewed", "finance_review", "allotted", "cancelled")


class Payers:
    """Those who pay, as the database knows them, and the next step of whatever stands somewhere."""

    def __init__(self, seed: int) -> None:
        from approvals.organisations.models import Organisation, Post
        from approvals.programmes.models import Programme
        from tests.factories import acting

        self.chance = random.Random(seed)
        self.by: dict[str, Any] = {}
        for name, role in ROLES.items():
            post = Post.objects.filter(role=role).order_by("pk").select_related("user")[0]
            self.by[name] = acting(post.user)
        self.county = Organisation.objects.get(kind="county")
        self.programme = Programme.objects.get()

    def work(self) -> bool:
        """One step of every batch that is not ended, and a new batch where something waits; False if there was none."""
        from approvals.disbursement import actions
        from approvals.disbursement.models import Batch
        from approvals.disbursement.refusals import Refused
        from tests.factories import TERM

        moved = False
        try:
            actions.make_batch(self.programme, TERM, self.by["maker"], self.county.path)
            moved = True
        except Refused as refused:
            if refused.code != "nothing_to_pay":
                raise
        for batch in Batch.objects.exclude(state__in=ENDED).order_by("pk"):
            moved |= self.advance(batch)
        return moved

    def advance(self, batch: Any) -> bool:
        """The next step of a batch, by whose turn it is."""
        from approvals.disbursement import actions, demo_bank, queries
        from workflows.clock import today

        maker, treasury = self.by["maker"], self.by["treasury"]
        if batch.state == "draft":
            actions.submit(batch.pk, maker)
        elif batch.state == "submitted":
            actions.check(batch.pk, self.by["checker"])
        elif batch.state == "reviewed":
            actions.approve(batch.pk, self.by["approver"])
        elif batch.state == "finance_review":
            actions.allot(batch.pk, treasury, "鸡财拨〔2026〕1号", today())
        elif batch.state == "allotted":
            actions.export(batch.pk, maker)
        elif batch.state == "sent_to_bank":
            failing = [number for number in range(1, batch.line_count + 1) if self.chance.random() < 0.4]
            actions.take_return(batch.pk, demo_bank.answer(batch, tuple(failing)), "r.txt", maker)
        elif batch.state == "partially_paid":
            return self.mend(batch)
        elif batch.state == "paid":
            arrived = list(batch.lines.filter(state="paid").values_list("number", flat=True))
            if arrived and self.chance.random() < 0.4 and not batch.files.filter(filename="b.txt").exists():
                number = self.chance.choice(arrived)
                actions.take_return(batch.pk, demo_bank.answer(batch, (), (number,)), "b.txt", maker)
            else:
                actions.reconcile(batch.pk, treasury, queries.paid_total(batch))
        elif batch.state == "reconciled":
            actions.close(batch.pk, treasury)
        return True

    def mend(self, batch: Any) -> bool:
        """Payments that failed or came back have their account corrected, then are reissued or given up."""
        from approvals.disbursement import actions
        from approvals.disbursement.models import AccountCorrection
        from tests.factories import account_number

        lines = batch.lines.filter(state__in=["failed", "bounced"]).order_by("number")
        for line in lines:
            if self.chance.random() < 0.3:
                actions.give_up(line.pk, self.by["maker"], WHY)
                continue
            waiting = AccountCorrection.objects.filter(line=line, state="waiting").first()
            number = str(waiting.account_no) if waiting else account_number(700_000 + line.pk)
            if waiting is None:
                told = (number, number, "bank_card", line.student.name, "农信社")
                waiting = actions.propose_account(line.pk, *told, self.by["officer"])
            actions.confirm_account(waiting.pk, number, self.by["head"])
        if batch.lines.filter(state="account_fix").exists():
            actions.reissue(batch.pk, self.by["maker"])
            return True
        return bool(lines)


def out_of_step() -> list[str]:
    """What is wrong with the money: unbalanced, lost, paid twice, or half done. Empty where all is right."""
    from django.db.models import Count, Q

    from approvals.awards.models import Award
    from approvals.disbursement import queries
    from approvals.disbursement.funds.verifying import findings
    from approvals.disbursement.models import Batch, PaymentLine
    from tests.factories import TERM
    from workflows.models import Case

    wrong = [finding.message for finding in findings()]
    payable = set(queries.payable_awards([""], Q(), TERM))
    live = Counter(PaymentLine.objects.exclude(state__in=["cancelled", "reissued"]).values_list("award", flat=True))
    for award in Award.objects.values_list("pk", flat=True):
        if live[award] + (award in payable) != 1:
            wrong.append(f"award {award}: {live[award]} lines, waits anew: {award in payable}")
    twice = PaymentLine.objects.filter(state="paid").values("student", "term").annotate(n=Count("pk")).filter(n__gt=1)
    wrong += [f"paid twice: {row}" for row in twice]
    for line in PaymentLine.objects.filter(state="reissued", replacement=None):
        wrong.append(f"line {line.pk} is reissued by none")
    for line in PaymentLine.objects.filter(state="paid", replacement__isnull=False):
        wrong.append(f"line {line.pk} is paid, and replaced")
    lines: dict[int, list[tuple[str, Decimal]]] = defaultdict(list)
    for of, state, amount in PaymentLine.objects.values_list("batch", "state", "amount"):
        lines[of].append((state, amount))
    for batch in Batch.objects.annotate(out=Count("files", filter=Q(files__direction="out"))):
        sent, states = batch.sent_at is not None, {state for state, _ in lines[batch.pk]}
        stands = batch.held_from if batch.state == "audit_held" else batch.state
        if batch.out != sent or sent != (stands not in UNSENT):
            wrong.append(f"batch {batch.number}: {batch.state}, {batch.out} files")
        if (sent and "included" in states) or (not sent and states - {"included", "held", "cancelled"}):
            wrong.append(f"batch {batch.number}: {batch.state} with lines {states}")
        included = sum(amount for state, amount in lines[batch.pk] if state not in ("held", "cancelled"))
        if batch.state != "cancelled" and (batch.total < included if sent else batch.total != included):
            wrong.append(f"batch {batch.number}: total {batch.total}, lines {included}")
    paid = PaymentLine.objects.filter(state="paid").values("case")
    wrong += [f"case {case} is paid and open" for case in Case.objects.filter(pk__in=paid, finished=None)]
    return wrong


def main() -> None:
    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    connection.settings_dict["NAME"] = sys.argv[1]
    for seed in map(int, sys.stdin):
        child = os.fork()
        if not child:
            payers = Payers(seed)
            os.write(1, f"{os.getpid()}\n".encode())
            while payers.work():
                pass
            os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(1, f"ended {ended}\n".encode())


if __name__ == "__main__":
    main()
