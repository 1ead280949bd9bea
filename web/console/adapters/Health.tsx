/** How an adapter feels: the last hour, what it holds of the hub, what keeps it from working. */

import { useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";
import { shortTime } from "../shortTime";
import type { AdapterPage } from "./asked";
import { Processes } from "./Processes";
import { Spark, perMinute } from "./parts";

export function Health({ page }: { page: AdapterPage }) {
  const t = useT();
  const { format, say } = useTexts();
  const time = (ms: number | null) => (ms ? shortTime(ms, t, format) : t("adapters.none"));
  const calls = perMinute(page.samples, (one) => one.calls);
  const errors = perMinute(page.samples, (one) => one.errors);
  const figures: [string, string][] = [
    ["adapters.calls", format.number(page.calls)],
    ["adapters.errors", format.number(page.errors)],
    ["adapters.late", format.number(page.late)],
    ["adapters.in_flight", format.number(page.in_flight)],
    ["adapters.waiting", format.number(page.waiting)],
    ["adapters.http_calls", format.number(page.http_calls)],
  ];
  return (
    <>
      {page.problems.map((one) => (
        <section key={one.code + one.where}>
          <p className="strip is-danger" role="alert">
            <Icon name="warn" />
            <span><b>{`${one.code} ${say(one.what)}`}</b> <span className="mono">{one.where}</span><br />{say(one.fix)}</span>
          </p>
        </section>
      ))}
      <section aria-label={t("adapters.hour")}>
        <div className="sec-h"><h3>{t("adapters.p95_long")}</h3><span className="asof num">{time(page.p95_ms)}</span></div>
        <Spark values={page.samples.map((one) => one.p95_ms)} label={t("adapters.p95_plot", { time: time(page.p95_ms) })} />
        <div className="sec-h"><h3>{t("adapters.per_minute")}</h3><span className="asof num">{format.number(Math.round(calls.at(-1) ?? 0))}</span></div>
        <Spark values={calls} label={t("adapters.calls_plot", { count: format.number(page.calls) })} />
        {errors.some((one) => one > 0) ? (
          <>
            <div className="sec-h"><h3>{t("adapters.errors_per_minute")}</h3><span className="asof num">{format.number(Math.round(errors.at(-1) ?? 0))}</span></div>
            <Spark values={errors} tone=" is-danger" label={t("adapters.errors_plot", { count: format.number(page.errors) })} />
          </>
        ) : null}
        <dl className="kv kv-3">
          {figures.map(([name, value]) => <div key={name}><dt>{t(name)}</dt><dd className="num">{value}</dd></div>)}
          <div><dt>{t("adapters.breaker")}</dt><dd data-testid="breaker">{t(`adapters.breaker_${page.breaker}`)}</dd></div>
        </dl>
      </section>
      {page.processes.length > 1 ? <Processes found={page.processes} /> : null}
      <section aria-label={t("adapters.isolation")}>
        <h3>{t("adapters.isolation")}</h3>
        <p className="muted">{page.layers.length ? page.layers.join(" \u00b7 ") : t("adapters.runs_inline")}</p>
        <Names title={t("adapters.talks")} names={page.net} />
        <Names title={t("adapters.reads")} names={page.reads} />
        <Names title={t("adapters.writes")} names={page.writes} />
      </section>
      <section aria-label={t("adapters.hooks")}>
        <Names title={t("adapters.hooks")} names={page.hooks} />
        <Names title={t("adapters.steps")} names={page.steps} />
        <Names title={t("adapters.capabilities")} names={page.capabilities} />
      </section>
    </>
  );
}

export function Names({ title, names }: { title: string; names: readonly string[] }) {
  if (!names.length) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul className="tags">{names.map((name) => <li key={name} className="tag mono">{name}</li>)}</ul>
    </>
  );
}
