"""What agents read from this adapter, in English and Chinese."""

from __future__ import annotations

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "zammad.open": "Open tickets",
        "zammad.status.open": "Open",
        "zammad.status.in_progress": "In progress",
        "zammad.status.waiting": "Waiting",
        "zammad.status.done": "Closed",
        "zammad.owned": "#{number} · {owner}",
        "zammad.unowned": "#{number} · nobody yet",
        "zammad.more": "And {count} more in Zammad.",
        "zammad.number": "Ticket",
        "zammad.owner": "Owner",
        "zammad.state": "State in Zammad",
        "zammad.changed": "Last change",
        "zammad.go": "Open in Zammad",
        "zammad.count.one": "1 open ticket",
        "zammad.count": "{count} open tickets",
        "zammad.healthy": "Zammad answers.",
        "step.title": "Open a ticket in {group}",
        "step.ticket": "Ticket",
        "step.group": "Group",
        "step.return": "Return of order {order}: {amount}",
        "step.others.one": "The customer has 1 other open ticket.",
        "step.others": "The customer has {count} other open tickets.",
        "step.opened": "Ticket {number} opened",
        "step.taken_back": "Taken back: the escalation was undone.",
    },
    "zh-CN": {
        "zammad.open": "未结工单",
        "zammad.status.open": "待处理",
        "zammad.status.in_progress": "处理中",
        "zammad.status.waiting": "等待中",
        "zammad.status.done": "已关闭",
        "zammad.owned": "#{number} · {owner}",
        "zammad.unowned": "#{number} · 尚无人负责",
        "zammad.more": "Zammad 中还有 {count} 个。",
        "zammad.number": "工单",
        "zammad.owner": "负责人",
        "zammad.state": "Zammad 中的状态",
        "zammad.changed": "最近变动",
        "zammad.go": "在 Zammad 中打开",
        "zammad.count.one": "1 个未结工单",
        "zammad.count": "{count} 个未结工单",
        "zammad.healthy": "Zammad 应答正常。",
        "step.title": "在 {group} 中新建工单",
        "step.ticket": "工单",
        "step.group": "组",
        "step.return": "订单 {order} 退货：{amount}",
        "step.others.one": "该客户另有 1 个未结工单。",
        "step.others": "该客户另有 {count} 个未结工单。",
        "step.opened": "已新建工单 {number}",
        "step.taken_back": "已撤回：升级处理已取消。",
    },
}


def text(language: str, key: str, /, **values: object) -> str:
    """Return the sentence *key* in *language*, or in English when there is none."""
    return TEXTS.get(language, TEXTS["en"])[key].format(**values)
