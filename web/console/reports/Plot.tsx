/** A plot of days, drawn by uPlot and read out by pointing; the table beside it says the same. */

import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";

export interface Series {
  name: string;
  values: readonly (number | null)[];
  tone: "main" | "quiet";
  isBars?: boolean;
}

interface Props {
  title: string;
  what: string;
  series: readonly Series[];
  /** The axis' marks, from 0 up. */
  ticks: readonly number[];
  /** Each day as the axis names it. */
  days: readonly string[];
  say(value: number): string;
}

const HEIGHT = 168;
const LEFT = 56;
const BOTTOM = 24;
const LABEL_PX = 72;
const TIP_PX = 130;

interface Pointed {
  at: number;
  left: number;
}

export function Plot({ title, what, series, ticks, days, say }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const look = useLook();
  useEffect(() => {
    const box = place.current!;
    const data = [days.map((_, at) => at), ...series.map((one) => one.values)] as uPlot.AlignedData;
    const plot = new uPlot({ ...options(box, series, ticks, days, say), hooks: { setCursor: [(one) => setPointed(pointedBy(one))] } }, data, box);
    const sizes = new ResizeObserver(() => plot.setSize({ width: Math.floor(box.clientWidth), height: HEIGHT }));
    sizes.observe(box);
    return () => {
      sizes.disconnect();
      plot.destroy();
    };
  }, [series, ticks, days, say, look]);
  const isEmpty = series.every((one) => one.values.every((value) => value === null));
  return (
    <figure className="plot">
      <figcaption>
        <b title={what}>{title}</b>
        {series.length > 1 ? series.map((one) => <span key={one.name} className={`key is-${one.tone}`}>{one.name}</span>) : null}
      </figcaption>
      <div className="plot-box" ref={place} role="img" aria-label={`${title}. ${what}`} />
      {pointed === null || isEmpty ? null : (
        <div className="plot-tip" style={{ left: pointed.left }}>
          <b>{days[pointed.at]}</b>
          {series.map((one) => <span key={one.name} className={`key is-${one.tone}`}>{`${one.name}: ${one.values[pointed.at] === null ? "\u2013" : say(one.values[pointed.at] ?? 0)}`}</span>)}
        </div>
      )}
    </figure>
  );
}

function pointedBy(plot: uPlot): Pointed | null {
  const { idx, left } = plot.cursor;
  if (idx === null || idx === undefined || left === undefined || left < 0) return null;
  return { at: idx, left: Math.max(0, Math.min(LEFT + left, plot.width - TIP_PX)) };
}

function options(box: HTMLElement, series: readonly Series[], ticks: readonly number[], days: readonly string[], say: (value: number) => string): uPlot.Options {
  const ink = inkOf(box);
  const font = `11px ${getComputedStyle(box).fontFamily}`;
  const text = ink("--fg-subtle");
  const every = (plot: uPlot) => Math.max(1, Math.ceil((days.length * LABEL_PX) / Math.max(1, plot.width - LEFT)));
  const axis = { font, stroke: text, ticks: { show: false } };
  return {
    width: Math.floor(box.clientWidth), height: HEIGHT, padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { show: false } },
    scales: { x: { time: false, range: [-0.5, days.length - 0.5] }, y: { range: [0, ticks[ticks.length - 1] ?? 1] } },
    axes: [
      { ...axis, size: BOTTOM, gap: 4, grid: { show: false }, splits: (plot) => days.map((_, at) => at).filter((at) => at % every(plot) === 0), values: (_, at) => at.map((one) => days[one] ?? "") },
      { ...axis, size: LEFT, gap: 6, grid: { stroke: ink("--line"), width: 1 }, splits: () => [...ticks], values: (_, at) => at.map(say) },
    ],
    series: [{}, ...series.map((one) => drawn(one, ink))],
  }; // prettier-ignore
}

/** A line breaks where nothing was measured; a day alone is a dot. */
function drawn(one: Series, ink: (name: string) => string): uPlot.Series {
  const stroke = ink(one.tone === "main" ? "--plot" : "--fg-muted");
  if (one.isBars) return { stroke, fill: stroke, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.6, 18], radius: 0.1 }) };
  const has = (at: number) => (one.values[at] ?? null) !== null;
  const alone = one.values.map((_, at) => at).filter((at) => has(at) && !has(at - 1) && !has(at + 1));
  const points = { show: alone.length > 0, filter: () => alone, size: 5, fill: stroke };
  return { stroke, width: one.tone === "main" ? 2 : 1.5, points, ...(one.tone === "quiet" ? { dash: [4, 4] } : {}) };
}

/** Colours of tokens as a canvas takes them, as they are right now at *box*. */
function inkOf(box: HTMLElement): (name: string) => string {
  return (name) => {
    const probe = box.appendChild(document.createElement("i"));
    probe.style.color = `var(${name})`;
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };
}

/** Moves on when light and dark or contrast change: a canvas does not follow by itself. */
function useLook(): number {
  const [look, setLook] = useState(0);
  useEffect(() => {
    const turn = () => setLook((before) => before + 1);
    const lists = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => matchMedia(query));
    const chosen = new MutationObserver(turn);
    for (const list of lists) list.addEventListener("change", turn);
    chosen.observe(document.documentElement, { attributes: true });
    return () => {
      for (const list of lists) list.removeEventListener("change", turn);
      chosen.disconnect();
    };
  }, []);
  return look;
}
