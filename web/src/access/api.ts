// The routes of account, sessions and company, after services/identity/openapi.yaml.

import type { User } from "../api";
import { type Intent, request } from "../http";

const root = "/api/identity/v1";

/** Where the account is signed in. */
export interface Session {
  session_id: string;
  /** "Firefox, Windows"; empty when nothing is known. */
  device: string;
  began_at: string;
  last_used_at: string;
  current: boolean;
}

export interface Details {
  name: string;
  street: string;
  postcode: string;
  city: string;
  email: string;
  vat_id?: string;
}

export interface Company extends Details {
  company_id: string;
  version: number;
  /** Whether the user may change it. */
  admin: boolean;
}

export interface Member {
  user_id: string;
  name: string;
  email: string;
  admin: boolean;
}

export interface Invitation {
  invitation_id: string;
  email: string;
  until: string;
  /** The code; only in the answer that makes it. */
  invite?: string;
}

export interface OwnCompany {
  company: Company | null;
  members: Member[];
  invitations: Invitation[];
}

export interface NewAccount {
  email: string;
  password: string;
  name: string;
  invite?: string;
  company?: Details;
}

export const signUp = (intent: Intent, body: NewAccount): Promise<User> => intent.run(body, (key) => request(`${root}/users`, { method: "POST", body, key }));

/** The sessions, the last used first. */
export const getSessions = async (): Promise<Session[]> => (await request<{ sessions: Session[] }>(`${root}/sessions`)).sessions;

export const endSession = (id: string): Promise<void> => request(`${root}/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });

export const endOtherSessions = (): Promise<void> => request(`${root}/sessions`, { method: "DELETE" });

export const changePassword = (body: { password: string; new_password: string }): Promise<void> => request(`${root}/password`, { method: "PUT", body });

export const forgetPassword = (email: string): Promise<void> => request(`${root}/password-resets`, { method: "POST", body: { email } });

export const resetPassword = (body: { token: string; password: string }): Promise<void> => request(`${root}/password-resets/confirm`, { method: "POST", body });

export const getCompany = (): Promise<OwnCompany> => request(`${root}/company`);

/** Changes the company that was read, or founds one: the user has another session then. */
export const putCompany = (body: Details, before: Company | null): Promise<Company> =>
  request(`${root}/company`, { method: "PUT", body, headers: before === null ? { "If-None-Match": "*" } : { "If-Match": `"${before.version}"` } });

export const join = (invite: string): Promise<User> => request(`${root}/company/join`, { method: "POST", body: { invite } });

export const removeMember = (id: string): Promise<void> => request(`${root}/company/members/${encodeURIComponent(id)}`, { method: "DELETE" });

export const invite = (intent: Intent, email: string): Promise<Invitation> =>
  intent.run({ email }, (key) => request(`${root}/company/invitations`, { method: "POST", body: { email }, key }));

export const takeBack = (id: string): Promise<void> => request(`${root}/company/invitations/${encodeURIComponent(id)}`, { method: "DELETE" });

export const signInAsDemoPerson = (code: string): Promise<User> => request(`${root}/demo-sessions`, { method: "POST", body: { code } });
