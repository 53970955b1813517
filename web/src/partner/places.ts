// The pages below /partner and their addresses.

export type Place = { name: "offers" } | { name: "jobs" } | { name: "job"; id: string } | { name: "credit-notes" } | { name: "plan" | "fleet" } | { name: "missing" };

/** Maps a path to a page of the partner. */
export function placeOf(path: string): Place {
  if (path === "/partner" || path === "/partner/") return { name: "offers" };
  if (path === "/partner/auftraege") return { name: "jobs" };
  if (path === "/partner/planung") return { name: "plan" };
  if (path === "/partner/betrieb") return { name: "fleet" };
  if (path === "/partner/gutschriften") return { name: "credit-notes" };
  const id = /^\/partner\/auftrag\/(o-[a-z2-7]{16})$/.exec(path)?.[1];
  return id === undefined ? { name: "missing" } : { name: "job", id };
}

export const jobPath = (orderId: string): string => `/partner/auftrag/${encodeURIComponent(orderId)}`;
