/** Initials on a quiet ground that stays the same for the same person; drawn, not read. */

const GROUNDS = ["a", "b", "c", "d", "e"];
const HAN = /\p{Script=Han}/u;

export function Avatar({ name, id, size, online }: { name: string; id?: string; size?: "sm" | "lg"; online?: boolean }) {
  const ground = GROUNDS[hash(id ?? name) % GROUNDS.length];
  const classes = ["av", size ? `av-${size}` : "", name ? `av-${ground}` : ""].filter(Boolean);
  return (
    <span className={classes.join(" ")} aria-hidden="true" data-initials={initials(name)}>
      {online ? <i className="on" /> : null}
    </span>
  );
}

/** WF for "Wang Fang", 王 for 王芳, V for nobody known. */
export function initials(name: string): string {
  const clean = name.trim();
  if (!clean) return "V";
  if (HAN.test(clean[0]!)) return clean[0]!;
  const words = clean.split(/[\s.@_-]+/).filter((word) => /\p{L}/u.test(word) && !HAN.test(word));
  if (!words.length) return clean[0]!.toUpperCase();
  return (words[0]![0]! + (words.length > 1 ? words[1]![0]! : "")).toUpperCase();
}

function hash(text: string): number {
  let sum = 0;
  for (let at = 0; at < text.length; at++) sum = (sum * 31 + text.charCodeAt(at)) >>> 0;
  return sum;
}
