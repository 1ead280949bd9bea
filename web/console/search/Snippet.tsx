/** Found text: pieces of text, those that were looked for set apart. Never markup. */

import type { MessageHit } from "./hits";

export function Snippet({ hit }: { hit: MessageHit }) {
  return (
    <>
      {hit.parts.map(([text, isFound], at) => (isFound ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>))}
    </>
  );
}
