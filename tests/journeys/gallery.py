"""A page that holds every component, for tests only: `urls(ROOT_URLCONF="tests.journeys.gallery")` serves it."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from django.utils import timezone
from django_cotton.compiler_regex import CottonCompiler

from workflows import states

OFFICER = "aid_officer@鸡泽县示例中心小学"
HEAD = "school_head@鸡泽县示例中心小学"
COUNTY = "county_reviewer@鸡泽县学生资助管理中心"
PAGE = Path(__file__).parent / "pages" / "gallery.html"


class PupilForm(forms.Form):
    name = forms.CharField(label="姓名", help_text="与身份证一致")
    programme = forms.ChoiceField(label="资助项目", choices=[("a", "义教生活补助"), ("b", "普高助学金")])
    level = forms.ChoiceField(
        label="困难等级", choices=[("s", "特别困难"), ("g", "一般困难")], widget=forms.RadioSelect
    )
    groups = forms.MultipleChoiceField(
        label="特殊群体", choices=[("x", "低保"), ("y", "孤儿")], required=False, widget=forms.CheckboxSelectMultiple
    )
    boarder = forms.BooleanField(label="寄宿生", required=False, help_text="按学籍登记")
    remark = forms.CharField(label="备注", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    paper = forms.FileField(label="佐证材料", required=False)


def gallery(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    names = ["王小禾", "买买提·𠮷", "李田", "欧阳小雨", "赵苗"]
    rows = [
        {
            "id": n,
            "name": names[n % 5],
            "number": f"13049920160305{n:04d}",
            "place": f"五年级{n % 4 + 1}班",
            "amount": Decimal("625.00") if n % 3 else Decimal("1150.00"),
            "finding": "符合：在建档立卡名册中" if n % 4 else "待核：户籍不在本县，须补充佐证材料后再认定",
            "state": "school_review" if n % 7 else "recheck",
            "day": 10 + n % 18,
        }
        for n in range(1, 41)
    ]
    steps = ["done", "done", "skipped", "current", "ahead", "ahead", "ahead"]
    names_of_steps = ["提交", "学校审核", "乡镇审核", "县级审核", "审批", "县级公示", "发放"]
    lines = [
        SimpleNamespace(act=act, step=step, actor="x" if name else "", actor_name=name, post=post, reason_code=code,
                        reason_text=text, business_at=now + timedelta(days=n))
        for n, (act, step, name, post, code, text) in enumerate([
            ("open", "draft", "李敏", OFFICER, "", ""),
            ("submit", "draft", "李敏", OFFICER, "", ""),
            ("return", "school_review", "赵国强", HEAD, "evidence_missing", "户口本照片看不清，请重新拍摄上传。"),
            ("resubmit", "correction", "李敏", OFFICER, "", ""),
            ("approve", "school_review", "赵国强", HEAD, "", ""),
            ("conclude", "school_notice", "", "", "", ""),
            ("skip", "township_review", "", "", "", ""),
            ("reject", "county_review", "周静", COUNTY, "not_in_register", "名册中查无此户。"),
        ])
    ]  # fmt: skip
    form = PupilForm({"programme": "z", "boarder": "on"})
    context = {
        "rows": rows,
        "form": form,
        "lines": lines,
        "states": states.NAMES,
        "steps": [
            {"name": str(n), "label": label, "status": status}
            for n, (label, status) in enumerate(zip(names_of_steps, steps, strict=True))
        ],
        "facts": [("姓名", "王小禾"), ("学校", "鸡泽县示例中心小学"), ("身份证号", "1304**********0010")],
        "tabs": [
            {"url": "#a", "label": "待我审核", "count": "40", "current": True},
            {"url": "#b", "label": "已办", "count": None, "current": False},
        ],
    }
    template = engines["django"].from_string(CottonCompiler().process(PAGE.read_text()))
    return HttpResponse(template.render(context, request))


urlpatterns = [path("gallery/", gallery), path("", include("project.urls"))]
