/** What can be done with several rows at once; each deed waits eight seconds for a change of mind. */

import { type Agent, type Command, newCid } from "../../kernel";
import { type Desk, deskKey } from "../desk";
import { snoozeChoices, snoozeItems } from "../conversation/snooze";
import { useDesk, useT, useTexts, useValue } from "../hooks";
import { notify } from "../notices";
import { Icon } from "../parts/Icon";
import { Menu } from "../parts/Menu";
import { asBefore } from "./undoSnooze";
import { sameAgent } from "./views";

const UNDO_MS = 8000;

export function BulkBar({ ids, onDone }: { ids: string[]; onDone(): void }) {
  const t = useT();
  const desk = useDesk();
  const { format } = useTexts();
  const agents = useValue<readonly Agent[]>(deskKey.agents) ?? [];
  const people = agents.map((one) => ({ id: one.id, label: sameAgent(one.id, desk.myself) ? t("assign.me") : one.name }));
  const assign = (agent: string) => {
    const before = new Map(ids.map((id) => [id, desk.store.conversation(id)?.assignee?.id ?? null]));
    void runAll(desk, ids, (id) => ({ t: "assign", conversation: id, cid: newCid(), agent }));
    offer(t("bulk.assigned", { count: ids.length }), t("bulk.undo"), () =>
      void runAll(desk, ids, (id) => ({ t: "assign", conversation: id, cid: newCid(), agent: before.get(id) ?? null })),
    );
    onDone();
  };
  const close = () => {
    void runAll(desk, ids, (id) => ({ t: "close", conversation: id, cid: newCid() }));
    offer(t("bulk.closed", { count: ids.length }), t("bulk.undo"), () =>
      void runAll(desk, ids, (id) => ({ t: "reopen", conversation: id, cid: newCid() })),
    );
    onDone();
  };
  const snooze = (name: string) => {
    const choice = snoozeChoices(new Date()).find((one) => one.name === name);
    if (!choice) return;
    const before = new Map(ids.map((id) => [id, desk.store.conversation(id)]));
    const until = choice.until.toISOString();
    void runAll(desk, ids, (id) => ({ t: "snooze", conversation: id, cid: newCid(), until }));
    offer(t("bulk.snoozed", { count: ids.length, time: format.dateTime(until) }), t("bulk.undo"), () => void runAll(desk, ids, (id) => asBefore(before.get(id), id)));
    onDone();
  };
  const known = desk.tags().slice(0, 20);
  const tag = (name: string) => {
    const without = ids.filter((id) => !desk.store.conversation(id)?.tags.includes(name));
    void runAll(desk, without, (id) => ({ t: "tag", conversation: id, cid: newCid(), add: [name], remove: [] }));
    offer(t("bulk.tagged", { tag: name }), t("bulk.undo"), () =>
      void runAll(desk, without, (id) => ({ t: "tag", conversation: id, cid: newCid(), add: [], remove: [name] })),
    );
    onDone();
  };
  return (
    <footer className="list-foot bulk" data-testid="bulk">
      <span className="grow">{t("bulk.selected", { count: ids.length })}</span>
      <Menu label={t("bulk.assign")} className="btn btn-sm" groups={[{ items: people }]} onPick={assign} placement="top end">
        {t("bulk.assign")}
      </Menu>
      {known.length ? (
        <Menu label={t("bulk.tag")} className="btn btn-sm" groups={[{ items: known.map((name) => ({ id: name, label: name })) }]} onPick={tag} placement="top end">
          {t("bulk.tag")}
        </Menu>
      ) : null}
      <Menu label={t("bulk.snooze")} className="btn btn-sm" groups={[{ items: snoozeItems(t, format) }]} onPick={snooze} placement="top end" testId="bulk-snooze">
        {t("bulk.snooze")}
      </Menu>
      <button type="button" className="btn btn-sm" onClick={close} data-testid="bulk-close">{t("bulk.close")}</button>
      <button type="button" className="ib ib-sm" aria-label={t("bulk.clear")} onClick={onDone}><Icon name="x" size="sm" /></button>
    </footer>
  );
}

async function runAll(desk: Desk, ids: readonly string[], make: (id: string) => Command): Promise<void> {
  const failures: string[] = [];
  for (const id of ids) {
    await desk.command(make(id)).catch((error: unknown) => failures.push(error instanceof Error ? error.message : String(error)));
  }
  if (failures.length) notify(failures[0]!, { tone: "danger" });
}

function offer(text: string, label: string, run: () => void): void {
  notify(text, { action: { label, run }, ms: UNDO_MS });
}
