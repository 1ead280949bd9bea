/** The customer's clock, where their language tells the zone without doubt. */

// A guess that can be wrong is worse than none: English and Spanish are spoken in every zone.
const ZONES: Record<string, string> = {
  "zh-CN": "Asia/Shanghai", "zh-TW": "Asia/Taipei", "zh-HK": "Asia/Hong_Kong", zh: "Asia/Shanghai",
  ja: "Asia/Tokyo", "ja-JP": "Asia/Tokyo", ko: "Asia/Seoul", "ko-KR": "Asia/Seoul",
  "de-DE": "Europe/Berlin", "fr-FR": "Europe/Paris", "it-IT": "Europe/Rome", "en-GB": "Europe/London",
}; // prettier-ignore

/** "17:43" where *language* lives, or "" where nobody can know or it is our own zone. */
export function localTime(language: string | null | undefined, now: number, reader: string): string {
  const zone = language ? ZONES[language] : undefined;
  if (!zone) return "";
  const clock = (timeZone?: string) =>
    new Intl.DateTimeFormat(reader === "en" ? "en-GB" : reader, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(timeZone ? { timeZone } : {}) }).format(now);
  return clock(zone);
}
