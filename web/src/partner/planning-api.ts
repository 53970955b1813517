// What only the planning pages ask for: the partner's profile and invitations of drivers. After services/{disposer,identity}/openapi.yaml.

import { ApiError, cookie, problemOf, request, UnreachableError } from "../http";

export interface DriverEntry {
  id: string;
  name: string;
  phone?: string;
}

export interface Vehicle {
  plate: string;
  kind: "skip" | "roll-off";
}

export interface Certificate {
  kind: "efb" | "53" | "54";
  number: string;
  valid_until?: string;
}

/** What the partner may change of itself. */
export interface Profile {
  email: string;
  radius_km: number;
  auto_accept: boolean;
  drivers: DriverEntry[];
  vehicles: Vehicle[];
  /** How many containers of a size the partner places a day; a size that is not listed is not limited. */
  capacity?: { size_m3: number; per_day: number }[];
}

export interface Partner extends Profile {
  partner_id: string;
  version: number;
  name: string;
  certificates: Certificate[];
}

export const windows = ["", "morning", "afternoon"] as const;

export const getPartner = (stop?: AbortSignal): Promise<Partner> => request("/api/disposer/v1/profile", stop === undefined ? {} : { signal: stop });

/** Stores the profile, unless somebody has changed it since it was read: that is a conflict (409). */
export async function putProfile(read: Partner, profile: Profile): Promise<Partner> {
  const headers = { "Content-Type": "application/json", "If-Match": `"${read.version}"`, "X-CSRF-Token": cookie(document.cookie, "kreislauf_csrf") ?? "" };
  let answer: Response;
  let text: string;
  try {
    answer = await fetch("/api/disposer/v1/profile", { method: "PUT", headers, body: JSON.stringify(profile), credentials: "same-origin", signal: AbortSignal.timeout(15_000) });
    text = await answer.text();
  } catch (cause) {
    throw new UnreachableError("PUT profile", { cause });
  }
  if (!answer.ok) throw new ApiError(problemOf(answer.status, text));
  return JSON.parse(text) as Partner;
}

export const profileOf = ({ email, radius_km, auto_accept, drivers, vehicles, capacity }: Partner): Profile => ({
  email, radius_km, auto_accept, drivers, vehicles, ...(capacity === undefined ? {} : { capacity }),
});

export const inviteDriver = (id: string): Promise<{ invite: string; until: string }> =>
  request("/api/identity/v1/driver-invitations", { method: "POST", body: { driver_id: id } });
