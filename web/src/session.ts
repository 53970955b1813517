// Who is signed in. The session itself is an HttpOnly cookie; its readable companion says whether asking is worth a request.

import { signal } from "@preact/signals";
import { getSession, signIn, signOut, type User } from "./api";
import { ApiError, cookie, Intent } from "./http";

/** The signed-in user, undefined without. */
export const user = signal<User | undefined>(undefined);

/** Whether the browser has a session, perhaps one that has ended. */
export const mayBeSignedIn = (): boolean => cookie(document.cookie, "kreislauf_csrf") !== undefined;

/** Whether it is known by now who is signed in, or that nobody is. */
export const sessionKnown = signal(false);

/** Asks who is signed in. A failure counts as nobody: the order call has the last word. */
export async function loadSession(): Promise<void> {
  try {
    if (mayBeSignedIn()) user.value = await getSession();
  } catch {
    user.value = undefined;
  } finally {
    sessionKnown.value = true;
  }
}

/** Signs out; a session that has ended already is left as well. */
export async function leave(): Promise<void> {
  try {
    await signOut();
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.status !== 401) throw error;
  }
  user.value = undefined;
}

/** What waits for a new sign-in, all requests that found the session ended; set while the "session expired" dialog is open. */
export const waiting = signal<{ resume: () => void; giveUp: () => void } | undefined>(undefined);

const renewal = new Intent();

/** Signs in, and lets the request continue that waits for it. */
export async function renew(email: string, password: string): Promise<void> {
  user.value = await signIn(renewal, { email, password });
  waiting.value?.resume();
  waiting.value = undefined;
}

/** Runs a request; if the session has ended, asks the user to sign in and runs it once more. */
export async function withSession<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.status !== 401) throw error;
    if (user.peek()?.role === "site_manager") {
      user.value = undefined; // came in by a link, which has ended: there is no password to ask for
      throw error;
    }
    await new Promise<void>((resume, reject) => {
      const earlier = waiting.value;
      waiting.value = { resume: () => (earlier?.resume(), resume()), giveUp: () => (earlier?.giveUp(), reject(error)) };
    });
    return run();
  }
}
