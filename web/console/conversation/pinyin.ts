/** Finding Chinese text by Latin letters: th, tuih and tuihuo all find 退货. */

// Whole syllables for the words support people type; other characters match by their initial.
const SYLLABLES: Record<string, string> = Object.fromEntries(
  ("退tui 货huo 换huan 款kuan 发fa 票piao 订ding 单dan 物wu 流liu 快kuai 递di 运yun 费fei 地di 址zhi 修xiu 改gai " +
    "取qu 消xiao 查cha 询xun 客ke 户hu 服fu 务wu 会hui 话hua 关guan 闭bi 打da 开kai 分fen 配pei 标biao 签qian " +
    "备bei 注zhu 回hui 复fu 您nin 好hao 你ni 谢xie 抱bao 歉qian 请qing 稍shao 等deng 质zhi 量liang 问wen 题ti " +
    "尺chi 码ma 颜yan 色se 保bao 修xiu 维wei 支zhi 付fu 宝bao 微wei 信xin 价jia 格ge 优you 惠hui 券quan 规gui 则ze " +
    "程cheng 流liu 催cui 送song 达da 收shou 到dao 欢huan 迎ying 再zai 见jian 我wo 的de 队dui 列lie 团tuan 全quan 部bu " +
    "已yi 暂zan 缓huan 待dai 办ban 适shi 器qi 语yu 言yan 主zhu 深shen 浅qian 转zhuan 给gei 接jie 重chong 新xin 链lian").split(" ").map((pair) => [pair[0]!, pair.slice(1)]),
);
// The first character of each initial in pinyin order; a collator does the rest.
const FIRST = "\u963f\u516b\u5693\u54d2\u59b8\u53d1\u65ee\u54c8\u8ba5\u5494\u5783\u75f3\u62cf\u5662\u5991\u4e03\u5465\u6268\u5b83\u7a75\u5915\u4e2b\u5e00";
const INITIALS = "abcdefghjklmnopqrstwxyz";
const HAN = /\p{Script=Han}/u;
let collator: Intl.Collator | undefined;

function initial(character: string): string {
  collator ??= new Intl.Collator("zh-CN");
  for (let at = FIRST.length - 1; at >= 0; at--) {
    if (collator.compare(FIRST[at]!, character) <= 0) return INITIALS[at]!;
  }
  return "";
}

function spelling(character: string): string {
  return SYLLABLES[character] ?? initial(character);
}

export interface Found {
  /** Lower is better. */
  rank: number;
  /** The part of the text that matched, for drawing: [from, to). */
  at: [number, number];
}

/** Find *query* in *text*: as it is, as words' beginnings, as pinyin; null when it is not there. */
export function find(text: string, query: string): Found | null {
  const wanted = query.toLowerCase().trim();
  if (!wanted) return { rank: 0, at: [0, 0] };
  const lower = text.toLowerCase();
  const at = lower.indexOf(wanted);
  if (at === 0) return { rank: 0, at: [0, wanted.length] };
  if (at > 0) return { rank: /[\s/#.]/.test(lower[at - 1]!) ? 1 : 3, at: [at, at + wanted.length] };
  const letters = wanted.replace(/[\s']/g, "");
  for (let from = 0; from < text.length; from++) {
    if (!HAN.test(text[from]!)) continue;
    const to = spelled(text, from, letters);
    if (to) return { rank: from === 0 ? 2 : 4, at: [from, to] };
  }
  return initialsOf(lower, wanted);
}

/** Where the spelling of *letters* that starts at *from* ends; 0 when it does not fit. */
function spelled(text: string, from: number, letters: string): number {
  if (!letters) return from;
  const character = text[from];
  if (!character || !HAN.test(character)) return 0;
  const syllable = spelling(character);
  // The longest spelling first: "tui" before "t", so that what follows has the most room.
  for (let length = syllable.length; length > 0; length--) {
    if (!letters.startsWith(syllable.slice(0, length))) continue;
    const to = spelled(text, from + 1, letters.slice(length));
    if (to) return to;
  }
  return 0;
}

/** "sr" finds "Send receipt". */
function initialsOf(lower: string, wanted: string): Found | null {
  const words = [...lower.matchAll(/[a-z0-9]+/g)];
  const initials = words.map((word) => word[0][0]).join("");
  const at = wanted.length > 1 ? initials.indexOf(wanted) : -1;
  if (at < 0) return null;
  return { rank: 5, at: [words[at]!.index, words[at]!.index + 1] };
}
