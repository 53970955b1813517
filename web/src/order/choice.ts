// What was chosen, in the words of the service customer, and which copy of it to go on with. Pure.

import type { Selection } from "./selection";

/** What the service keeps. What is not chosen is empty. */
export interface Choice {
  postcode: string;
  waste_code: string;
  size_m3: number;
  date: string;
  address: { name: string; street: string; city: string };
  site_id: string;
  public_ground: boolean;
}

/** What was typed in the last step, as far as it is kept. */
export interface Typed {
  name: string;
  street: string;
  city: string;
  site: string;
  publicGround: boolean;
}

/** The copy in this browser. The version is the last that the service told; 0 before. */
export interface Kept {
  id: string;
  version: number;
  /** When it was written, in milliseconds. */
  at?: number;
  choice?: Choice;
}

export interface Draft {
  draft_id: string;
  version: number;
  choice: Choice;
}

export function choiceOf({ plz, abfall, groesse, datum }: Selection, { name, street, city, site, publicGround }: Typed): Choice {
  return { postcode: plz, waste_code: abfall, size_m3: groesse ?? 0, date: datum, address: { name, street, city }, site_id: site, public_ground: publicGround };
}

export function selectionOf(choice: Choice): Selection {
  return { plz: choice.postcode, abfall: choice.waste_code, groesse: choice.size_m3 || undefined, datum: choice.date };
}

/** Which draft to go on with instead of this browser's copy: the same one if another device has written it since, or the newest where this browser has none. */
export function newest(kept: Kept, drafts: Draft[]): Draft | undefined {
  const same = drafts.find((each) => each.draft_id === kept.id);
  if (kept.choice === undefined) return same ?? drafts[0];
  return same !== undefined && same.version > kept.version ? same : undefined;
}
