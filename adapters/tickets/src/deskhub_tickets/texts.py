"""What agents read from this adapter, in English and Chinese."""

from __future__ import annotations

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "tickets.open": "Open cases",
        "tickets.status.open": "Open",
        "tickets.status.in_progress": "In progress",
        "tickets.status.waiting": "Waiting",
        "tickets.status.done": "Done",
        "tickets.assigned": "{key} · {assignee}",
        "tickets.unassigned": "{key} · nobody yet",
        "tickets.more": "And {count} more in the ticket system.",
        "tickets.assignee": "Assigned to",
        "tickets.updated": "Updated",
        "tickets.go": "Open in the ticket system",
        "card.summary.one": "1 open case",
        "card.summary": "{count} open cases",
        "step.open.title": "Open a case in {queue}",
        "step.open.case": "Case",
        "step.open.queue": "Queue",
        "step.open.subject": "Return of order {order}: {amount}",
        "step.open.detail": "The customer has {count} other open cases.",
        "step.open.detail.one": "The customer has 1 other open case.",
        "step.open.done": "Case {key} opened",
        "health.ready": "The ticket system answers.",
    },
    "zh-CN": {
        "tickets.open": "未结工单",
        "tickets.status.open": "待处理",
        "tickets.status.in_progress": "处理中",
        "tickets.status.waiting": "等待中",
        "tickets.status.done": "已完成",
        "tickets.assigned": "{key} · {assignee}",
        "tickets.unassigned": "{key} · 尚无人负责",
        "tickets.more": "工单系统中还有 {count} 个。",
        "tickets.assignee": "负责人",
        "tickets.updated": "更新时间",
        "tickets.go": "在工单系统中打开",
        "card.summary.one": "1 个未结工单",
        "card.summary": "{count} 个未结工单",
        "step.open.title": "在 {queue} 中新建工单",
        "step.open.case": "工单",
        "step.open.queue": "队列",
        "step.open.subject": "订单 {order} 退货：{amount}",
        "step.open.detail": "该客户另有 {count} 个未结工单。",
        "step.open.detail.one": "该客户另有 1 个未结工单。",
        "step.open.done": "已新建工单 {key}",
        "health.ready": "工单系统应答正常。",
    },
}


def text(language: str, key: str, /, **values: object) -> str:
    """Return the sentence *key* in *language*, or in English when there is none."""
    return TEXTS.get(language, TEXTS["en"])[key].format(**values)
