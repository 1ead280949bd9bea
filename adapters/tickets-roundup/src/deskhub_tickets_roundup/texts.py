"""What agents read from this adapter, in English and Chinese."""

from __future__ import annotations

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "roundup.open": "Open cases",
        "roundup.status.open": "Open",
        "roundup.status.in_progress": "In progress",
        "roundup.status.waiting": "Waiting",
        "roundup.status.done": "Done",
        "roundup.assigned": "{key} · {assignee}",
        "roundup.unassigned": "{key} · nobody yet",
        "roundup.more": "And {count} more in Roundup.",
        "roundup.assignee": "Assigned to",
        "roundup.updated": "Updated",
        "roundup.go": "Open in Roundup",
        "card.summary.one": "1 open case",
        "card.summary": "{count} open cases",
        "step.open.title": "Open a case in Roundup",
        "step.open.case": "Case",
        "step.open.keyword": "Keyword",
        "step.open.subject": "Return of order {order}: {amount}",
        "step.open.detail": "The customer has {count} other open cases.",
        "step.open.detail.one": "The customer has 1 other open case.",
        "step.open.done": "Case {key} opened",
        "health.ready": "Roundup answers.",
    },
    "zh-CN": {
        "roundup.open": "未结工单",
        "roundup.status.open": "待处理",
        "roundup.status.in_progress": "处理中",
        "roundup.status.waiting": "等待中",
        "roundup.status.done": "已完成",
        "roundup.assigned": "{key} · {assignee}",
        "roundup.unassigned": "{key} · 尚无人负责",
        "roundup.more": "Roundup 中还有 {count} 个。",
        "roundup.assignee": "负责人",
        "roundup.updated": "更新时间",
        "roundup.go": "在 Roundup 中打开",
        "card.summary.one": "1 个未结工单",
        "card.summary": "{count} 个未结工单",
        "step.open.title": "在 Roundup 中新建工单",
        "step.open.case": "工单",
        "step.open.keyword": "关键字",
        "step.open.subject": "订单 {order} 退货：{amount}",
        "step.open.detail": "该客户另有 {count} 个未结工单。",
        "step.open.detail.one": "该客户另有 1 个未结工单。",
        "step.open.done": "已新建工单 {key}",
        "health.ready": "Roundup 应答正常。",
    },
}


def text(language: str, key: str, /, **values: object) -> str:
    """Return the sentence *key* in *language*, or in English when there is none."""
    return TEXTS.get(language, TEXTS["en"])[key].format(**values)
