/** System events as one sentence each. */

import type { Approval, Formatter, HubEvent } from "../../kernel";
import type { Translate } from "../hooks";
import { objectName } from "../inbox/Row";
import { sameAgent } from "../inbox/views";
import type { IconName } from "../parts/icons";

export function systemText(event: HubEvent, myself: string, t: Translate, format: Formatter): { icon: IconName; text: string } {
  const data = event.data;
  const isMe = sameAgent(event.by, myself);
  const actor = isMe ? t("conversation.you") : String(data["name"] ?? "") || actorName(event.by, t);
  switch (event.kind) {
    case "conversation.assigned":
      return { icon: "users", text: assigned(event, myself, t) };
    case "conversation.closed":
      return { icon: "check", text: t(isMe ? "system.closed_you" : "system.closed", { name: actor }) };
    case "conversation.rated": {
      const comment = String(data["comment"] ?? "");
      return { icon: "star", text: t(comment ? "system.rated_said" : "system.rated", { score: data["score"], comment }) };
    }
    case "conversation.reopened":
      return { icon: "undo", text: event.by.startsWith("visitor:") ? t("system.reopened_visitor") : t(isMe ? "system.reopened_you" : "system.reopened", { name: actor }) };
    case "conversation.snoozed":
      return { icon: "clock", text: t("system.snoozed", { until: format.dateTime(String(data["until"])) }) };
    case "conversation.woken":
      return { icon: "clock", text: t("system.woken") };
    case "conversation.tagged":
      return { icon: "pen", text: tagged(data, t) };
    case "customer.linked": {
      const given = String(data["why"] ?? "");
      // "Identified" alone would only repeat the sentence.
      const why = given === "identified" ? "" : given;
      return { icon: "users", text: t(why ? "system.customer_why" : "system.customer", { name: data["name"] ?? data["customer"], why }) };
    }
    case "conversation.erased":
      return { icon: "shield", text: t(data["why"] === "retention" ? "system.erased_age" : "system.erased") };
    case "approval.changed":
      return approval(data, actor, t);
    case "conversation.linked":
      return { icon: "box", text: t("system.linked", { object: objectName(String(data["object"])) }) };
    default:
      return { icon: "info", text: event.kind };
  }
}

function approval(data: Record<string, unknown>, name: string, t: Translate): { icon: IconName; text: string } {
  const { state, reason, asker, approver } = data["approval"] as Approval;
  const who = approver?.name || name;
  const object = objectName(String(data["object"] ?? ""));
  if (state === "approved") return { icon: "check", text: t("system.approved", { name: who, object }) };
  if (state === "refused") return { icon: "x", text: t("system.refused", { name: who, object, reason: reason ?? "" }) };
  return { icon: "shield", text: t("system.asked", { name: asker?.name ?? name, object }) };
}

function assigned(event: HubEvent, myself: string, t: Translate): string {
  const to = event.data["assignee"] as string | null;
  const name = String(event.data["name"] ?? "");
  if (!to) return t("system.unassigned");
  if (sameAgent(to, myself)) return t(event.data["how"] === "routing" ? "system.routed_you" : "system.assigned_you");
  return t(event.data["how"] === "routing" ? "system.routed" : "system.assigned", { name });
}

function tagged(data: Record<string, unknown>, t: Translate): string {
  const added = (data["added"] as string[] | undefined) ?? [];
  const removed = (data["removed"] as string[] | undefined) ?? [];
  const parts = [
    added.length ? t("system.tags_added", { tags: added.join(", ") }) : "",
    removed.length ? t("system.tags_removed", { tags: removed.join(", ") }) : "",
  ];
  return parts.filter(Boolean).join(" \u00b7 ") || t("system.tags_changed");
}

function actorName(by: string, t: Translate): string {
  return by.startsWith("visitor:") ? t("conversation.customer") : by === "system" ? "Deskhub" : by.replace(/^\w+:/, "");
}
