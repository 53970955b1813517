// Grey bars of the final size. The style sheet shows them only after 150 ms, so a quick answer does not flicker.

import { text } from "../text";

export function Skeleton({ rows, kind }: { rows: number; kind: "card" | "line" }) {
  return (
    <div class={`skeleton skeleton-${kind}`} role="status">
      <span class="unseen">{text.value.loading}</span>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} class="bone" />
      ))}
    </div>
  );
}
