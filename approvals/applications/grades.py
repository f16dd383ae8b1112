"""The grades of each stage, as the enrolment register writes them; shown as they stand in every language."""

GRADES: dict[str, tuple[str, ...]] = {
    "primary": ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级"),
    "junior": ("七年级", "八年级", "九年级"),
    "senior": ("高一", "高二", "高三"),
    "voc": ("中职一年级", "中职二年级", "中职三年级"),
    "special": ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级", "七年级", "八年级", "九年级"),
}
