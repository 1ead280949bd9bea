/** The days of a report: the last 7, 30 or 90, or chosen ones. */

import { type FormEvent, useState } from "react";
import { useT } from "../hooks";
import { PRESETS, type Range, isRange } from "./ranges";

interface Props {
  range: Range;
  today: string;
  onPick(range: string): void;
}

export function RangePicker({ range, today, onPick }: Props) {
  const t = useT();
  const [isOpen, setOpen] = useState(range.preset === null);
  return (
    <>
      <div className="seg" role="group" aria-label={t("report.range")}>
        {PRESETS.map((days) => (
          <button key={days} type="button" aria-pressed={!isOpen && range.preset === days} onClick={() => (setOpen(false), onPick(String(days)))} data-testid={`range-${days}`}>
            {t("report.days", { count: days })}
          </button>
        ))}
        <button type="button" aria-pressed={isOpen} onClick={() => setOpen(true)} data-testid="range-custom">{t("report.custom")}</button>
      </div>
      {isOpen ? <Custom key={`${range.from} ${range.to}`} range={range} today={today} onPick={onPick} /> : null}
    </>
  );
}

function Custom({ range, today, onPick }: Props) {
  const t = useT();
  const [from, setFrom] = useState(range.from);
  const [to, setTo] = useState(range.to);
  const isGood = isRange(from, to);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isGood) onPick(`${from}_${to}`);
  };
  return (
    <form className="custom" onSubmit={submit}>
      <input type="date" className="input" aria-label={t("report.from")} value={from} max={today} onChange={(event) => setFrom(event.target.value)} data-testid="range-from" />
      <input type="date" className="input" aria-label={t("report.to")} value={to} max={today} onChange={(event) => setTo(event.target.value)} data-testid="range-to" />
      <button type="submit" className="btn" disabled={!isGood} data-testid="range-apply">{t("report.apply")}</button>
      {isGood || !from || !to ? null : <span className="sum" role="alert">{t("report.no_range")}</span>}
    </form>
  );
}
