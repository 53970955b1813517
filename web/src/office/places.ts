// The pages below /office and their addresses.

export type Place =
  | { name: "work" }
  | { name: "search" }
  | { name: "order"; id: string }
  | { name: "partners" }
  | { name: "partner"; id: string }
  | { name: "bank" }
  | { name: "missing" };

/** Maps a path to a page of the back office. */
export function placeOf(path: string): Place {
  if (path === "/office" || path === "/office/") return { name: "work" };
  if (path === "/office/suche") return { name: "search" };
  if (path === "/office/partner") return { name: "partners" };
  if (path === "/office/bank") return { name: "bank" };
  const order = /^\/office\/auftrag\/(o-[a-z2-7]{16})$/.exec(path)?.[1];
  if (order !== undefined) return { name: "order", id: order };
  const partner = /^\/office\/partner\/(neu|p-[a-z0-9-]{1,38})$/.exec(path)?.[1];
  return partner === undefined ? { name: "missing" } : { name: "partner", id: partner };
}

export const orderPath = (id: string): string => `/office/auftrag/${id}`;
export const partnerPath = (id: string): string => `/office/partner/${id}`;
export const searchPath = (q: string): string => `/office/suche?q=${encodeURIComponent(q)}`;
