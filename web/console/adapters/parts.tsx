/** What several of the adapters' pages draw. */

import type { ReactNode } from "react";
import { useT, useTexts } from "../hooks";
import { Icon, iconNamed } from "../parts/Icon";
import { LOOK, type Sample } from "./asked";

export function StateChip({ state }: { state: string }) {
  const t = useT();
  const look = LOOK[state] ?? { tone: "", icon: "circle" as const };
  const name = t(`adapters.state_${state}`);
  return (
    <span className={`chip${look.tone}`}>
      <Icon name={look.icon} spin={look.icon === "spin"} />
      {name.startsWith("adapters.") ? state : name}
    </span>
  );
}

/** Picture, name and a small line under it. */
export function AppId({ icon, name, sub, isLarge }: { icon: string; name: ReactNode; sub: string; isLarge?: boolean }) {
  return (
    <span className="app-id grow">
      <span className={isLarge ? "logo-sq logo-lg" : "logo-sq"}><Icon name={iconNamed(icon, "plug")} /></span>
      <span className="trunc">
        {name}
        <small className="block trunc">{sub}</small>
      </span>
    </span>
  );
}

export function Failure({ text }: { text: string | null }) {
  const { say } = useTexts();
  return text ? <p className="strip is-danger page-strip" role="alert"><Icon name="warn" /><span>{say(text)}</span></p> : null;
}

export function Blank({ title, text }: { title: string; text: string }) {
  return (
    <div className="blank">
      <Icon name="check" />
      <h2>{title}</h2>
      <p>{text}</p>
    </div>
  );
}

const WIDTH = 360;
const HEIGHT = 56;

/** A line of *values* over time, the largest at the top; *label* says in words what it shows. */
export function Spark({ values, label, tone }: { values: readonly number[]; label: string; tone?: string }) {
  const top = Math.max(...values, 1);
  const step = values.length > 1 ? WIDTH / (values.length - 1) : WIDTH;
  const points = values.map((value, index) => `${(index * step).toFixed(1)},${(HEIGHT - 4 - (value / top) * (HEIGHT - 10)).toFixed(1)}`);
  return (
    <svg className={`spark${tone ?? ""}`} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path d={`M0 14.5h${WIDTH}M0 34.5h${WIDTH}`} />
      <path className="floor" d={`M0 ${HEIGHT - 0.5}h${WIDTH}`} />
      <polyline points={points.join(" ")} />
    </svg>
  );
}

/** What was counted between each two samples, per minute. */
export function perMinute(samples: readonly Sample[], count: (sample: Sample) => number): number[] {
  return samples.slice(1).map((sample, index) => {
    const before = samples[index]!;
    const minutes = (Date.parse(sample.at) - Date.parse(before.at)) / 60_000;
    // A restart begins to count anew.
    return minutes > 0 ? Math.max(0, count(sample) - count(before)) / minutes : 0;
  });
}
