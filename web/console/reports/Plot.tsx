/** A small plot of days: lines or bars in SVG, read out by pointing; the table beside it says the same. */

import { type PointerEvent, useEffect, useRef, useState } from "react";

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
const TOP = 10;
const BOTTOM = 22;
const LEFT = 52;
const RIGHT = 8;
const LABEL_PX = 72;

export function Plot({ title, what, series, ticks, days, say }: Props) {
  const { place, width } = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const top = ticks[ticks.length - 1] ?? 1;
  const room = Math.max(1, width - LEFT - RIGHT);
  const x = (index: number) => LEFT + (room * (index + 0.5)) / days.length;
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const every = Math.max(1, Math.ceil((days.length * LABEL_PX) / room));
  const point = (event: PointerEvent) => {
    const left = event.currentTarget.getBoundingClientRect().left;
    const index = Math.floor(((event.clientX - left - LEFT) / room) * days.length);
    setAt(index >= 0 && index < days.length ? index : null);
  };
  const isEmpty = series.every((one) => one.values.every((value) => value === null));
  return (
    <figure className="plot" ref={place}>
      <figcaption>
        <b title={what}>{title}</b>
        {series.length > 1 ? series.map((one) => <span key={one.name} className={`key is-${one.tone}`}>{one.name}</span>) : null}
      </figcaption>
      {width ? (
        <svg viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT} role="img" aria-label={`${title}. ${what}`} onPointerMove={point} onPointerLeave={() => setAt(null)}>
          {ticks.map((tick) => (
            <g key={tick}>
              <line className="grid" x1={LEFT} x2={width - RIGHT} y1={y(tick)} y2={y(tick)} />
              <text x={LEFT - 6} y={y(tick) + 4} textAnchor="end">{say(tick)}</text>
            </g>
          ))}
          {days.map((day, index) => (index % every === 0 ? <text key={day} x={x(index)} y={HEIGHT - 5} textAnchor="middle">{day}</text> : null))}
          {series.map((one) => (one.isBars ? <Bars key={one.name} one={one} x={x} y={y} wide={Math.max(2, Math.min(18, (room / days.length) * 0.6))} /> : <Line key={one.name} one={one} x={x} y={y} />))}
          {at === null ? null : <line className="at" x1={x(at)} x2={x(at)} y1={TOP} y2={HEIGHT - BOTTOM} />}
        </svg>
      ) : null}
      {at === null || isEmpty ? null : (
        <div className="plot-tip" style={{ insetInlineStart: Math.min(x(at), width - 130) }}>
          <b>{days[at]}</b>
          {series.map((one) => <span key={one.name} className={`key is-${one.tone}`}>{`${one.name}: ${one.values[at] === null ? "\u2013" : say(one.values[at] ?? 0)}`}</span>)}
        </div>
      )}
    </figure>
  );
}

interface DrawProps {
  one: Series;
  x(index: number): number;
  y(value: number): number;
}

function Bars({ one, x, y, wide }: DrawProps & { wide: number }) {
  return (
    <g className={`bars is-${one.tone}`}>
      {one.values.map((value, index) => (value ? <rect key={index} x={x(index) - wide / 2} y={y(value)} width={wide} height={y(0) - y(value)} rx="2" /> : null))}
    </g>
  );
}

/** A line breaks where nothing was measured; a day alone is a dot. */
function Line({ one, x, y }: DrawProps) {
  const parts: string[] = [];
  const dots: number[] = [];
  let isDrawing = false;
  one.values.forEach((value, index) => {
    if (value === null) {
      isDrawing = false;
      return;
    }
    const isAlone = !isDrawing && (one.values[index + 1] ?? null) === null;
    if (isAlone) dots.push(index);
    parts.push(`${isDrawing ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`);
    isDrawing = true;
  });
  return (
    <g className={`line is-${one.tone}`}>
      <path d={parts.join("")} />
      {dots.map((index) => <circle key={index} cx={x(index)} cy={y(one.values[index] ?? 0)} r="2.5" />)}
    </g>
  );
}

/** The width that the page leaves, in CSS pixels; 0 before it is known. */
function useWidth() {
  const place = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const sizes = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    sizes.observe(place.current!);
    return () => sizes.disconnect();
  }, []);
  return { place, width };
}
