// Who is signed in. The session itself is an HttpOnly cookie; its readable companion says whether asking is worth a request.

import { signal } from "@preact/signals";
import { getSession, signIn, signOut, type User } from "./api";
import { ApiError, cookie, Intent } from "./http";

/** The signed-in user, undefined without. */
export const user = signal<User | undefined>(undefined);

/** Asks who is signed in. A failure counts as nobody: the order call has the last word. */
export async function loadSession(): Promise<void> {
  if (cookie(document.cookie, "kreislauf_csrf") === undefined) return;
  try {
    user.value = await getSession();
  } catch {
    user.value = undefined;
  }
}

export async function leave(): Promise<void> {
  await signOut();
  user.value = undefined;
}

/** What waits for a new sign-in, all requests that found the session ended; set while the "session expired" dialog is open. */
export const waiting = signal<{ resume: () => void; giveUp: () => void } | undefined>(undefined);

const renewal = new Intent();

/** Signs in from the dialog and lets the waiting request continue. */
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
    await new Promise<void>((resume, reject) => {
      const earlier = waiting.value;
      waiting.value = { resume: () => (earlier?.resume(), resume()), giveUp: () => (earlier?.giveUp(), reject(error)) };
    });
    return run();
  }
}
