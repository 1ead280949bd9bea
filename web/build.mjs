// Build the console, the widget and the loader into the hub's static folder.
//   node build.mjs            build once (ASCII only, hashed names, no inline anything)
//   node build.mjs --watch    build again on every change
//   node build.mjs --check    types, catalogues and budgets
//   node build.mjs --test     the kernel's and the console's unit tests
import { build, context } from "esbuild";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "core", "deskhub", "edge", "static");
const flags = new Set(process.argv.slice(2));
const BUDGET_KB = { console: 230, "w/chat.js": 35, "w/files.js": 15, "w/rate.js": 12, "w/mail.js": 15, "w/push.js": 12, "w/away.js": 9, "w/prechat.js": 12, "w/page.js": 3, "w/sw.js": 3, "w/loader.js": 3 };

const shared = {
  absWorkingDir: here,
  bundle: true,
  minify: !flags.has("--watch"),
  charset: "ascii",
  legalComments: "none",
  target: ["es2022", "chrome111", "firefox114", "safari16.4"],
  define: { "process.env.NODE_ENV": flags.has("--watch") ? '"development"' : '"production"' },
  logLevel: "warning",
  metafile: true,
};

// Cards are one source for two runtimes: hooks come from "cards-jsx", JSX from jsxImportSource.
const react = { jsx: "automatic", jsxImportSource: "react", alias: { "cards-jsx": "react" } };
// tsconfig.json says React, and esbuild would believe it before its own options.
const preact = {
  jsx: "automatic",
  jsxImportSource: "preact",
  tsconfigRaw: { compilerOptions: { jsx: "react-jsx", jsxImportSource: "preact" } },
  alias: { "cards-jsx": "preact/hooks" },
};

// `import css from "./x.css?text"` gives the minified text: the widget adopts it as a style sheet.
const cssText = {
  name: "css-text",
  setup(plugin) {
    plugin.onResolve({ filter: /\.css\?text$/ }, (args) => ({
      path: join(args.resolveDir, args.path.replace(/\?text$/, "")),
      namespace: "css-text",
    }));
    plugin.onLoad({ filter: /.*/, namespace: "css-text" }, async (args) => {
      const result = await build({ ...shared, entryPoints: [args.path], write: false, minify: true });
      const watchFiles = Object.keys(result.metafile.inputs).map((name) => join(here, name));
      return { contents: result.outputFiles[0].text, loader: "text", watchFiles };
    });
  },
};

const hashedNames = {
  entryNames: "assets/[name]-[hash]",
  chunkNames: "assets/[name]-[hash]",
  assetNames: "assets/[name]-[hash]",
};

function consoleBuild() {
  return {
    ...shared,
    ...react,
    ...hashedNames,
    entryPoints: { console: "console/main.tsx", style: "console/styles/index.css" },
    outdir: join(out, "console"),
    format: "esm",
    splitting: true,
    publicPath: "/console",
    plugins: [writeIndex],
  };
}

const writeIndex = {
  name: "write-index",
  setup(plugin) {
    plugin.onEnd(({ metafile, errors }) => {
      if (errors.length) return;
      const made = Object.entries(metafile.outputs);
      const named = (entry) => {
        const found = made.find(([, output]) => output.entryPoint === entry);
        return `/console/assets/${basename(found[0])}`;
      };
      const entry = made.find(([, output]) => output.entryPoint === "console/main.tsx");
      const preload = staticChunks(metafile, entry[0])
        .filter((name) => name !== entry[0])
        .map((name) => `<link rel="modulepreload" href="/console/assets/${basename(name)}">`);
      const html = readFileSync(join(here, "console", "index.html"), "utf8")
        .replace("{{script}}", named("console/main.tsx"))
        .replace("{{style}}", named("console/styles/index.css"))
        .replace("{{preload}}", preload.join("\n"));
      mkdirSync(join(out, "console"), { recursive: true });
      writeFileSync(join(out, "console", "index.html"), html);
      for (const name of ["icon.svg", "icon-unread.svg"]) copyFileSync(join(here, "console", name), join(out, "console", name));
      // Old files go last: a running hub serves the new page from the moment it is written.
      const fresh = new Set(made.map(([name]) => basename(name)));
      for (const name of readdirSync(join(out, "console", "assets"))) {
        if (!fresh.has(name)) rmSync(join(out, "console", "assets", name));
      }
      writeFileSync(join(here, ".cache", "console.json"), JSON.stringify(metafile));
    });
  },
};

// What the browser has to load before the first screen.
function staticChunks(metafile, entry, seen = new Set()) {
  if (seen.has(entry)) return [...seen];
  seen.add(entry);
  for (const item of metafile.outputs[entry].imports) {
    if (item.kind === "import-statement" && !item.external) staticChunks(metafile, item.path, seen);
  }
  return [...seen];
}

// Customers have no action forms: their bundle takes a line of text in place of the form renderer.
const customerCards = {
  name: "customer-cards",
  setup(plugin) {
    plugin.onResolve({ filter: /^\.\/Form$/ }, () => ({ path: join(here, "widget", "form.tsx") }));
  },
};

// Names that nothing outside the kernel says: in the widget each byte of them is sent to customers.
const PRIVATE = /^(failedOpens|dialledAt|drainAt|probePoll|renewLater|upgradeLater|caughtUp|applyTyping|applyPresence|applyRun|isScheduled|pollOnce|askSome|reconcile|sleepless|subscribers|welcomed|originals|dialled|timers|lane|lanes|tryNow|unsaved|pump|dial|offlineSince|isLoaded|baseHead|baseLast|isUnread|mine|onState|expireTyping)$/;

function widgetBuilds() {
  const entries = [
    ["widget/chat.tsx", "chat.js"],
    // Fetched by chat.js when a conversation is on screen.
    ["widget/files.tsx", "files.js", "esm"],
    // Fetched when a closed conversation is on screen.
    ["widget/rate.tsx", "rate.js", "esm"],
    // Fetched when its line in the menu is chosen.
    ["widget/mail.tsx", "mail.js", "esm"],
    // Fetched when an agent has answered.
    ["widget/push.tsx", "push.js", "esm"],
    // Fetched when nobody is there.
    ["widget/away.tsx", "away.js", "esm"],
    // Fetched before a first message where the inbox asks something.
    ["widget/prechat.tsx", "prechat.js", "esm"],
    // The chat's own page, and the worker that shows notices there and in the console.
    ["push/page.ts", "page.js"],
    ["push/worker.ts", "sw.js"],
    ["loader/loader.ts", "loader.js"],
  ];
  return entries
    .filter(([source]) => existsSync(join(here, source)))
    .map(([source, name, format = "iife"]) => ({
      ...shared,
      ...preact,
      entryPoints: [source],
      outfile: join(out, "w", name),
      format,
      mangleProps: PRIVATE,
      plugins: [cssText, customerCards],
    }));
}

// English is part of the widget; the other languages are fetched by those who read them.
function copyLanguages() {
  mkdirSync(join(out, "w"), { recursive: true });
  for (const name of readdirSync(join(here, "locales"))) {
    const language = /^widget\.(.+)\.json$/.exec(name)?.[1];
    if (language && language !== "en") copyFileSync(join(here, "locales", name), join(out, "w", `${language}.json`));
  }
}

function sizes() {
  const gz = (path) => gzipSync(readFileSync(path), { level: 9 }).length / 1024;
  const metafile = JSON.parse(readFileSync(join(here, ".cache", "console.json"), "utf8"));
  const entry = Object.keys(metafile.outputs).find(
    (name) => metafile.outputs[name].entryPoint === "console/main.tsx",
  );
  const initial = staticChunks(metafile, entry).reduce((sum, name) => sum + gz(join(here, name)), 0);
  const lines = [["console", initial]];
  for (const name of ["w/chat.js", "w/files.js", "w/rate.js", "w/mail.js", "w/push.js", "w/away.js", "w/prechat.js", "w/page.js", "w/sw.js", "w/loader.js"]) {
    if (existsSync(join(out, name))) lines.push([name, gz(join(out, name))]);
  }
  return lines;
}

function reportSizes() {
  let over = false;
  for (const [name, kb] of sizes()) {
    const limit = BUDGET_KB[name];
    console.log(`${name.padEnd(14)} ${kb.toFixed(1).padStart(6)} kB gz of ${limit}`);
    over ||= kb > limit;
  }
  for (const file of walk(out)) {
    if (!/\.(js|css|html)$/.test(file)) continue;
    const bad = readFileSync(file, "utf8").search(/[^\x00-\x7f]/);
    if (bad >= 0) {
      console.error(`${relative(out, file)}: not ASCII at byte ${bad}`);
      over = true;
    }
  }
  if (over) process.exitCode = 1;
}

function* walk(folder) {
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, item.name);
    if (item.isDirectory()) yield* walk(path);
    else yield path;
  }
}

// Every language says what English says, with the same placeholders.
function checkCatalogues(prefix = "", language = "zh-CN") {
  const read = (name) => JSON.parse(readFileSync(join(here, "locales", `${prefix}${name}.json`), "utf8"));
  const holes = (text) => JSON.stringify([...new Set(JSON.stringify(text).match(/\{\w+\}/g) ?? [])].sort());
  const en = read("en");
  const zh = read(language);
  const wrong = [
    ...Object.keys(en).filter((key) => !(key in zh)).map((key) => `${language} lacks ${key}`),
    ...Object.keys(zh).filter((key) => !(key in en)).map((key) => `en lacks ${key}`),
    ...Object.keys(en).filter((key) => key in zh && holes(en[key]) !== holes(zh[key])).map((key) => `placeholders differ: ${key}`),
  ];
  for (const line of wrong) console.error(line);
  if (wrong.length) process.exitCode = 1;
}

function check() {
  // Two programs: the console's JSX is React's, the widget's is Preact's.
  for (const project of [here, join(here, "widget")]) {
    const tsc = spawnSync(join(here, "node_modules", ".bin", "tsc"), ["-p", project], { stdio: "inherit" });
    if (tsc.status !== 0) process.exitCode = 1;
  }
  const customers = ["widget.", "files.", "rate.", "mail.", "push.", "away.", "prechat."];
  for (const prefix of ["", ...customers]) checkCatalogues(prefix);
  for (const prefix of customers) checkCatalogues(prefix, "ar");
}

async function test() {
  const tests = [];
  for (const folder of ["kernel", "cards", "console", "widget", "loader", "push"]) {
    if (existsSync(join(here, folder))) tests.push(...[...walk(join(here, folder))].filter((name) => /\.test\.tsx?$/.test(name)));
  }
  const cache = join(here, ".cache", "tests");
  rmSync(cache, { recursive: true, force: true });
  await build({
    ...shared, ...react, entryPoints: tests, outdir: cache, outbase: here, format: "esm",
    platform: "node", target: "node20", outExtension: { ".js": ".mjs" }, minify: false, sourcemap: "inline", plugins: [cssText],
  });
  const run = spawnSync(process.execPath, ["--test", ...[...walk(cache)].filter((name) => name.endsWith(".test.mjs"))], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
}

mkdirSync(join(here, ".cache"), { recursive: true });
if (flags.has("--test")) {
  await test();
} else if (flags.has("--watch")) {
  for (const options of [consoleBuild(), ...widgetBuilds()]) await (await context(options)).watch();
  copyLanguages();
} else {
  await Promise.all([consoleBuild(), ...widgetBuilds()].map((options) => build(options)));
  copyLanguages();
  reportSizes();
  if (flags.has("--check")) check();
}
