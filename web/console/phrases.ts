/** What the hub says in English, said in the reader's language: known phrases by pattern, all else as it came. */

/** Arguments are phrases themselves ("Undo 2 steps in Orders and Payments"); no deeper than this. */
const MAX_DEPTH = 3;

interface Pattern {
  regex: RegExp;
  names: string[];
  target: string;
}

export type Say = (text: string | null | undefined) => string;

/** Give the function that translates by *phrases*: English templates with `{holes}` and their translations. */
export function phrasebook(phrases: Readonly<Record<string, string>>): Say {
  const whole = new Map<string, string>();
  const patterns: Pattern[] = [];
  for (const [template, target] of Object.entries(phrases)) {
    const names = [...template.matchAll(/\{(\w+)\}/g)].map((hole) => hole[1]!);
    if (!names.length) whole.set(template, target);
    else patterns.push({ regex: patternOf(template), names, target });
  }
  // What is said more exactly comes first: "Return from order #{number}" before "Return {number}".
  patterns.sort((a, b) => literals(b) - literals(a));
  const once = (text: string, depth: number): string | null => {
    const exact = whole.get(text);
    if (exact !== undefined) return exact;
    if (depth > MAX_DEPTH) return null;
    for (const { regex, names, target } of patterns) {
      const found = regex.exec(text);
      if (!found) continue;
      const values = new Map(names.map((name, at) => [name, say(found[at + 1]!, depth + 1)]));
      return target.replace(/\{(\w+)\}/g, (_, name: string) => values.get(name) ?? "");
    }
    return null;
  };
  const say = (text: string, depth: number): string => {
    const known = once(text, depth);
    if (known !== null) return known;
    for (const { cut, join } of CUTS) {
      const parts = text.split(cut);
      if (parts.length < 2) continue;
      const said = parts.map((part) => once(part, depth + 1));
      if (said.some((part) => part !== null)) return joined(parts.map((part, at) => said[at] ?? part), join);
    }
    return text;
  };
  return (text) => (text ? say(text, 0) : "");
}

/** Sentences, then the parts of a line, then "one and other". */
const CUTS = [
  { cut: /(?<=[.!?])\s+(?=\S)/, join: " " },
  { cut: / \u00b7 /, join: " \u00b7 " },
  { cut: / and /, join: "\u3001" },
];

/** Chinese sentences stand side by side without a space. */
function joined(parts: readonly string[], by: string): string {
  return parts.join(by).replace(/([\u3002\uff01\uff1f]) /g, "$1");
}

function patternOf(template: string): RegExp {
  const source = template.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join("(.+?)")}$`, "s");
}

function literals({ regex }: Pattern): number {
  return regex.source.length;
}
