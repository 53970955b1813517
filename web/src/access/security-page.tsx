// Password and devices of whoever is signed in.

import { useSignal } from "@preact/signals";
import { useAnswer } from "../account/loaded";
import { moment } from "../format";
import { withSession } from "../session";
import { language, text } from "../text";
import { Field } from "../ui/field";
import { ProblemAlert } from "../ui/problem";
import { Skeleton } from "../ui/skeleton";
import { changePassword, endOtherSessions, endSession, getSessions, type Session } from "./api";
import { Form } from "./form";
import { AccountTabs, AskToSignIn } from "./parts";
import { words as texts } from "./text";

export function SecurityPage() {
  const words = texts.value.security;
  const round = useSignal(0);
  return (
    <AskToSignIn title={words.title}>
      <div class="hero">
        <h1 tabIndex={-1}>{words.title}</h1>
      </div>
      <AccountTabs />
      <div class="account">
        <Devices key={round.value} />
        <Password onChanged={() => (round.value += 1)} />
      </div>
    </AskToSignIn>
  );
}

function Password({ onChanged }: { onChanged: () => void }) {
  const words = texts.value.security;
  const changed = useSignal(0);
  return (
    <section class="panel sign-in" aria-labelledby="password-title">
      <h2 id="password-title">{words.password}</h2>
      {changed.value > 0 && <p role="status">{words.changed}</p>}
      <Form
        key={changed.value}
        submit={words.submit}
        send={async (typed) => {
          await withSession(() => changePassword({ password: typed("/password"), new_password: typed("/new_password") }));
          changed.value += 1;
          onChanged();
        }}
      >
        {(found) => (
          <>
            <Field name="/password" label={words.present} type="password" autoComplete="current-password" required maxLength={256} complaint={found["/password"]} />
            <Field name="/new_password" label={words.next} hint={texts.value.passwordHint} type="password" autoComplete="new-password" required minLength={10} maxLength={256} complaint={found["/new_password"]} />
          </>
        )}
      </Form>
    </section>
  );
}

function Devices() {
  const words = texts.value.security;
  const { answer: sessions, error, again } = useAnswer(getSessions);
  const failure = useSignal<unknown>(undefined);
  const end = async (run: () => Promise<void>) => {
    failure.value = undefined;
    try {
      await withSession(run);
      again();
    } catch (cause) {
      failure.value = cause;
      again(); // it may have ended by itself
    }
  };
  return (
    <section aria-labelledby="devices-title">
      <h2 id="devices-title">{words.devices}</h2>
      <ProblemAlert error={error ?? failure.value}>
        {error !== undefined && (
          <button type="button" onClick={again}>
            {text.value.again}
          </button>
        )}
      </ProblemAlert>
      {sessions === undefined ? (
        error === undefined && <Skeleton rows={2} kind="card" />
      ) : (
        <>
          <ul class="rows">
            {sessions.map((each) => (
              <Device key={each.session_id} session={each} onEnd={() => end(() => endSession(each.session_id))} />
            ))}
          </ul>
          {sessions.length > 1 && (
            <div class="buttons">
              <button type="button" onClick={() => end(endOtherSessions)}>
                {words.endOthers}
              </button>
            </div>
          )}
        </>
      )}
    </section>
  );
}

function Device({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const words = texts.value.security;
  const device = session.device === "" ? words.unknown : session.device;
  return (
    <li class="panel person">
      <div>
        <h3>{device}</h3>
        <p class="hint">
          {words.used(moment(session.last_used_at, language.value))}, {words.since(moment(session.began_at, language.value))}
        </p>
      </div>
      {session.current ? (
        <span class="badge badge-now">{words.here}</span>
      ) : (
        <button type="button" class="quiet" aria-label={words.endNamed(device)} onClick={onEnd}>
          {words.end}
        </button>
      )}
    </li>
  );
}
