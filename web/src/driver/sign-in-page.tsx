// Signing in, or opening the account with the dispatcher's invitation. The invitation is in the part of the address that no server sees.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { ApiError, randomId, UnreachableError } from "../http";
import { navigate, url } from "../route";
import { redeem, signIn } from "./api";
import { Line } from "./parts";
import { actions, driver, enter, sync } from "./state";
import { words } from "./text";
import { Icon } from "../ui/icon";

export function SignInPage() {
  const ours = words.value.signIn;
  const invite = /^#einladung=(.+)$/.exec(url.value.hash)?.[1];
  const known = useSignal(false);
  const busy = useSignal(false);
  const fault = useSignal<string | undefined>(undefined);
  const complaints = useSignal<Record<string, string>>({});
  const key = useRef(randomId());
  const invited = invite !== undefined && !known.value;

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const typed = (name: string) => String(data.get(name) ?? "").trim();
    const account = { email: typed("email"), password: String(data.get("password") ?? "") };
    const found: Record<string, string> = {};
    for (const name of invited ? ["name", "email", "password"] : ["email", "password"]) if (typed(name) === "") found[name] = words.value.job.needed;
    if (invited && found["password"] === undefined && account.password.length < 10) found["password"] = ours.passwordHint;
    complaints.value = found;
    fault.value = undefined;
    if (Object.keys(found).length > 0) return form.querySelector<HTMLElement>(`#${Object.keys(found)[0]}`)?.focus();
    busy.value = true;
    try {
      await enter(invited ? await redeem(key.current, { ...account, name: typed("name"), invite: decodeURIComponent(invite) }) : await signIn(account.email, account.password));
      navigate("/fahrer", true);
      void sync();
    } catch (error) {
      key.current = error instanceof ApiError ? randomId() : key.current;
      fault.value = explain(error, invited);
      for (const { pointer, detail } of error instanceof ApiError ? error.problem.errors : []) complaints.value = { ...complaints.value, [pointer.slice(1)]: pointer === "/invite" ? ours.invite : detail };
    } finally {
      busy.value = false;
    }
  };

  const explain = (error: unknown, opening: boolean): string => {
    if (error instanceof UnreachableError) return ours.unreachable;
    if (!(error instanceof ApiError)) return ours.failed;
    if (error.problem.status === 401) return ours.wrong;
    if (error.problem.status === 429) return ours.tooMany;
    if (error.problem.status === 409 && opening) return ours.taken;
    return error.problem.errors.some(({ pointer }) => pointer === "/invite") ? ours.invite : ours.failed;
  };

  const kept = actions.value.length;
  const found = complaints.value;
  return (
    <>
      <h1 tabIndex={-1}>{invited ? ours.invited : ours.title}</h1>
      <p>{invited ? ours.invitedLead : ours.lead}</p>
      {kept > 0 && (
        <p class="note">
          <Icon name="clock" />
          {ours.kept(kept)}
        </p>
      )}
      <form class="form panel" noValidate onSubmit={submit}>
        {fault.value !== undefined && (
          <p class="problem" role="alert">
            <Icon name="alert" />
            {fault.value}
          </p>
        )}
        {invited && <Line id="name" type="text" label={ours.name} autoComplete="name" maxLength={100} complaint={found["name"]} />}
        <Line key="email" id="email" type="email" label={ours.email} autoComplete="username" defaultValue={driver.value?.email ?? ""} complaint={found["email"]} />
        <Line
          key={`password-${invited}`} id="password" type="password" label={ours.password} autoComplete={invited ? "new-password" : "current-password"} {...(invited ? { hint: ours.passwordHint } : {})}
          complaint={found["password"]}
        />
        <button type="submit" class="primary big" disabled={busy.value}>
          {invited ? ours.create : ours.submit}
        </button>
        {invited && (
          <button type="button" class="quiet" onClick={() => (known.value = true)}>
            {ours.known}
          </button>
        )}
      </form>
      {driver.value !== undefined && (
        <a class="back" href="/fahrer">
          {ours.back}
        </a>
      )}
    </>
  );
}
