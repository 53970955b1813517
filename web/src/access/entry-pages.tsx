// The ways into an account: a new one, an invitation of a company, a forgotten password, and a demo person's link.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Intent } from "../http";
import { navigate, url } from "../route";
import { user } from "../session";
import { keepLanguage } from "../text";
import { Field } from "../ui/field";
import { ProblemAlert } from "../ui/problem";
import { SignInForm } from "../ui/sign-in-dialog";
import { forgetPassword, join, resetPassword, signInAsDemoPerson, signUp } from "./api";
import { CompanyFields, detailsOf, Form, PersonFields } from "./form";
import { invitedEmail, secret } from "./secret";
import { words as texts } from "./text";

const homes: Record<string, string> = { dispatcher: "/partner", driver: "/fahrer", back_office: "/office", ops: "/office", site_manager: "/baustelle" };

/** Where somebody of a role begins. */
const homeOf = (role: string): string => homes[role] ?? "/konto";

function Hero({ title, lead }: { title: string; lead?: string }) {
  return (
    <div class="hero">
      <h1 tabIndex={-1}>{title}</h1>
      {lead !== undefined && <p>{lead}</p>}
    </div>
  );
}

function Switch<Mode extends string>({ legend, modes, chosen, onChoose }: { legend: string; modes: Record<Mode, string>; chosen: Mode; onChoose: (mode: Mode) => void }) {
  return (
    <fieldset>
      <legend class="unseen">{legend}</legend>
      <div class="switch">
        {(Object.entries(modes) as [Mode, string][]).map(([mode, label]) => (
          <label key={mode}>
            <input type="radio" name="mode" value={mode} checked={chosen === mode} onChange={() => onChoose(mode)} />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** What was chosen for an order stands in the address, so it is still there afterwards. */
const backToOrder = (): string => (url.value.searchParams.has("plz") ? `/bestellen${url.value.search}` : keepLanguage("/konto"));

export function NewAccountPage() {
  const words = texts.value.fresh;
  const kind = useSignal<"private" | "firm">(url.value.searchParams.has("firma") ? "firm" : "private");
  const intent = useRef(new Intent());
  return (
    <>
      <Hero title={words.title} lead={words.lead} />
      <section class="panel sign-in" aria-label={words.title}>
        <Switch legend={words.kind} modes={{ private: words.private, firm: words.firm }} chosen={kind.value} onChoose={(mode) => (kind.value = mode)} />
        <Form
          submit={words.submit}
          own={(status) => (status === 409 ? texts.value.taken : undefined)}
          send={async (typed) => {
            const company = kind.value === "firm" ? { company: detailsOf(typed, "/company") } : {};
            user.value = await signUp(intent.current, { email: typed("/email").trim(), password: typed("/password"), name: typed("/name").trim(), ...company });
            navigate(backToOrder());
          }}
        >
          {(found) => (
            <>
              <PersonFields found={found} />
              {kind.value === "firm" && <CompanyFields found={found} at="/company" />}
            </>
          )}
        </Form>
        <p class="hint">
          {words.known} <a href={keepLanguage("/konto")}>{words.signIn}</a>
        </p>
      </section>
    </>
  );
}

export function InvitationPage() {
  const words = texts.value.invitation;
  const code = secret();
  const email = invitedEmail(code);
  const mode = useSignal<"fresh" | "known">("fresh");
  const intent = useRef(new Intent());
  const own = (status: number, pointers: string[]) =>
    status === 422 && pointers.includes("/invite") ? words.useless : status === 409 && user.value === undefined ? texts.value.taken : undefined;
  const done = () => navigate(keepLanguage("/konto"));
  return (
    <>
      <Hero title={words.title} lead={words.lead} />
      <section class="panel sign-in" aria-label={words.title}>
        {user.value !== undefined ? (
          <>
            <p>{words.joinAs(user.value.email)}</p>
            <Form
              submit={words.join}
              own={own}
              send={async () => {
                user.value = await join(code);
                done();
              }}
            >
              {() => null}
            </Form>
          </>
        ) : (
          <>
            <Switch legend={words.kind} modes={{ fresh: words.fresh, known: words.known }} chosen={mode.value} onChoose={(each) => (mode.value = each)} />
            {mode.value === "known" ? (
              <SignInForm submitLabel={texts.value.fresh.signIn} />
            ) : (
              <Form
                submit={texts.value.fresh.submit}
                own={own}
                send={async (typed) => {
                  user.value = await signUp(intent.current, { email: typed("/email").trim(), password: typed("/password"), name: typed("/name").trim(), invite: code });
                  done();
                }}
              >
                {(found) => <PersonFields found={found} email={email} />}
              </Form>
            )}
          </>
        )}
      </section>
    </>
  );
}

export function ForgotPage() {
  const words = texts.value.forgot;
  const sent = useSignal("");
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (sent.value !== "") heading.current?.focus();
  }, [sent.value]);
  if (sent.value !== "") {
    return (
      <div class="hero">
        <h1 tabIndex={-1} ref={heading}>
          {words.sentTitle}
        </h1>
        <p>{words.sent(sent.value)}</p>
      </div>
    );
  }
  return (
    <>
      <Hero title={words.title} lead={words.lead} />
      <section class="panel sign-in" aria-label={words.title}>
        <Form
          submit={words.submit}
          send={async (typed) => {
            const email = typed("/email").trim();
            await forgetPassword(email);
            sent.value = email;
          }}
        >
          {(found) => <Field name="/email" label={texts.value.email} type="email" autoComplete="username" required maxLength={254} defaultValue={user.value?.email ?? ""} complaint={found["/email"]} />}
        </Form>
      </section>
    </>
  );
}

export function NewPasswordPage() {
  const words = texts.value.reset;
  const done = useSignal(false);
  const token = secret();
  useEffect(() => {
    if (done.value) document.querySelector<HTMLElement>("main h1")?.focus();
  }, [done.value]);
  if (done.value) {
    return (
      <>
        <Hero title={words.doneTitle} lead={words.done} />
        {user.value === undefined ? (
          <section class="panel sign-in" aria-label={words.done}>
            <SignInForm submitLabel={texts.value.fresh.signIn} />
          </section>
        ) : (
          <p>
            <a class="button primary" href={keepLanguage(homeOf(user.value.role))}>
              {texts.value.account}
            </a>
          </p>
        )}
      </>
    );
  }
  return (
    <>
      <Hero title={words.title} lead={words.lead} />
      <section class="panel sign-in" aria-label={words.title}>
        <Form
          submit={words.submit}
          own={(status, pointers) => (status === 422 && pointers.includes("/token") ? words.useless : undefined)}
          send={async (typed) => {
            await resetPassword({ token: token === "" ? "-" : token, password: typed("/password") });
            user.value = undefined; // every session has ended, this browser's too
            done.value = true;
          }}
        >
          {(found) => (
            <Field
              name="/password" label={texts.value.security.next} hint={texts.value.passwordHint} type="password" autoComplete="new-password" required minLength={10} maxLength={256}
              complaint={found["/password"]}
            />
          )}
        </Form>
        <p class="hint">
          <a href={keepLanguage("/passwort/vergessen")}>{words.again}</a>
        </p>
      </section>
    </>
  );
}

export function DemoPage() {
  const words = texts.value.demo;
  const error = useSignal<unknown>(undefined);
  useEffect(() => {
    signInAsDemoPerson(secret() || "-").then(
      ({ role }) => location.replace(keepLanguage(homeOf(role))), // the home of some roles is a page of its own
      (cause: unknown) => (error.value = cause),
    );
  }, []);
  return (
    <>
      <Hero title={words.title} />
      {error.value === undefined ? <p role="status">{words.wait}</p> : <ProblemAlert error={error.value} own={words.useless} />}
    </>
  );
}
