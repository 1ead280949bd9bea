/** A change of hub.toml: what it does to the file and to the hub is shown before it is made. */

import { useEffect, useState } from "react";
import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { type Proposal, type Wanted, at, faults } from "./asked";

interface Outcome {
  done: string[];
  kept: Record<string, string>;
  waiting: string[];
}

interface Props {
  instance: string;
  title: string;
  wanted: Wanted;
  /** Why the file cannot be written, or nothing. */
  readOnly: string;
  onDone(): void;
  onClose(): void;
}

export function ChangeDialog({ instance, title, wanted, readOnly, onDone, onClose }: Props) {
  const t = useT();
  const { say } = useTexts();
  const desk = useDesk();
  const [proposal, setProposal] = useState<Proposal | null>(null);
  const [wrong, setWrong] = useState<string[]>([]);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    let isCurrent = true;
    desk.api.call<Proposal>(at(instance, "/settings/preview"), { method: "POST", body: wanted }).then(
      (found) => isCurrent && setProposal(found),
      (error: unknown) => isCurrent && setWrong(faults(error)),
    );
    return () => void (isCurrent = false);
  }, [desk, instance, wanted]);

  const make = async () => {
    if (!proposal) return;
    setBusy(true);
    try {
      const body = { ...wanted, digest: proposal.digest };
      const outcome = await desk.api.call<Outcome>(at(instance, "/settings"), { method: "PUT", body, timeoutMs: 30_000 });
      const kept = outcome.kept[instance];
      if (kept) {
        setWrong([kept]);
        return;
      }
      notify(t("adapters.changed"));
      onDone();
    } catch (error) {
      setWrong(faults(error));
    } finally {
      setBusy(false);
    }
  };

  const foot = (
    <>
      <button type="button" className="btn" onClick={onClose}>{t("dialog.cancel")}</button>
      {readOnly ? null : (
        <button type="button" className="btn btn-primary" disabled={!proposal?.diff || isBusy} onClick={() => void make()} data-testid="change-confirm">
          {t("adapters.write")}
        </button>
      )}
    </>
  );
  return (
    <Dialog title={title} foot={foot} onClose={onClose} testId="change">
      <div className="change">
        {wrong.map((one) => <p key={one} className="strip is-danger" role="alert"><Icon name="warn" /><span>{say(one)}</span></p>)}
        {readOnly ? <p className="strip is-warning"><Icon name="lock" /><span>{t("adapters.read_only")}</span></p> : null}
        {proposal?.changes.map((one) => <p key={one} className="strip is-accent"><Icon name="info" /><span>{say(one)}</span></p>)}
        {proposal && !proposal.diff ? <p className="muted">{t("adapters.nothing")}</p> : null}
        {proposal?.diff ? (
          <pre className="code diff" tabIndex={0} aria-label={t("adapters.diff")} data-testid="diff">
            {readOnly ? proposal.toml : proposal.diff.split("\n").map((line, index) => <span key={index} className={toneOf(line)}>{`${line}\n`}</span>)}
          </pre>
        ) : null}
      </div>
    </Dialog>
  );
}

function toneOf(line: string): string {
  if (line.startsWith("+++") || line.startsWith("---")) return "subtle";
  return line.startsWith("+") ? "added" : line.startsWith("-") ? "taken" : line.startsWith("@") ? "subtle" : "";
}
