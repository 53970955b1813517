// The frame of the driver's app: header with the outbox badge, what the driver has to know (no network, session ended, new version), the page,
// and the bar to undo.

import { useEffect } from "preact/hooks";
import { JobPage } from "./job-page";
import { ListPage } from "./list-page";
import { OutboxPage } from "./outbox-page";
import { update } from "./register";
import { SignInPage } from "./sign-in-page";
import { driver, known, leave, mine, now, offline, ready, signedOut, storeless, takeBack, undoable, unsaved, waitsLong } from "./state";
import { language, setLanguage, words } from "./text";
import { clock, moment } from "../format";
import { navigations, url } from "../route";
import { waiting } from "./outbox";
import { Icon } from "../ui/icon";

export function App() {
  const ours = words.value;
  const path = url.value.pathname;
  useEffect(() => {
    document.documentElement.lang = language.value;
  }, [language.value]);
  useEffect(() => {
    if (navigations.peek() === 0) return;
    scrollTo(0, 0);
    document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
  }, [path]);
  return (
    <>
      <a class="to-content" href="#inhalt" data-native>
        {ours.skip}
      </a>
      <Header />
      <Bars />
      <main id="inhalt" tabIndex={-1} class="driver">
        <Page path={path} />
      </main>
      <UndoBar />
    </>
  );
}

function Page({ path }: { path: string }) {
  const ours = words.value;
  const job = /^\/fahrer\/auftrag\/([^/]+)$/.exec(path)?.[1];
  const title = path === "/fahrer/ausgang" ? ours.outbox.title : path === "/fahrer/anmelden" ? ours.signIn.title : job === undefined ? ours.list.title : ours.job.number;
  useEffect(() => {
    document.title = `${title} – ${ours.brand}`;
  }, [title]);
  if (storeless.value) {
    return (
      <div class="problem" role="alert">
        <Icon name="alert" />
        <div>
          <h1>{ours.storeless.title}</h1>
          <p>{ours.storeless.todo}</p>
        </div>
      </div>
    );
  }
  if (!ready.value) return <p class="hint" role="status">{ours.list.loading}</p>;
  const who = driver.value;
  if (who === undefined || path === "/fahrer/anmelden" || url.value.hash.startsWith("#einladung=")) return <SignInPage />;
  if (who.role !== "driver") return <Stranger email={who.email} />;
  if (path === "/fahrer/ausgang") return <OutboxPage />;
  if (job !== undefined) return <JobPage key={job} id={job} />;
  return <ListPage />;
}

function Header() {
  const ours = words.value;
  const refused = mine.value.filter((action) => action.refused !== undefined).length;
  const count = waiting(mine.value).length;
  const here = url.value.pathname === "/fahrer/ausgang";
  return (
    <header class="page-header driver-header">
      <a class="brand" href="/fahrer">
        <Icon name="loop" />
        <span class="brand-name">{ours.brand}</span>
      </a>
      {driver.value !== undefined && (
        <a class={refused > 0 ? "badge badge-bad" : count > 0 ? "badge badge-wait" : "badge"} href="/fahrer/ausgang" {...(here ? { "aria-current": "page" as const } : {})}>
          <Icon name={refused > 0 ? "alert" : count > 0 ? "clock" : "check"} />
          <span>
            <span class="unseen">{ours.nav.outbox}: </span>
            {ours.badge(count, refused)}
          </span>
        </a>
      )}
      <button type="button" class="quiet" lang={language.value === "de" ? "en" : "de"} onClick={() => setLanguage(language.value === "de" ? "en" : "de")}>
        {ours.other}
      </button>
    </header>
  );
}

function Bars() {
  const ours = words.value;
  const at = known.value?.at;
  return (
    <div class="bars" role="status">
      {unsaved.value && (
        <p class="bar bar-bad">
          <Icon name="alert" />
          <span>{ours.unsaved}</span>
        </p>
      )}
      {offline.value && (
        <p class="bar">
          <Icon name="offline" />
          <span>{ours.offline(at === undefined ? undefined : clock(new Date(at), language.value))}</span>
        </p>
      )}
      {waitsLong.value !== undefined && (
        <p class="bar">
          <Icon name="clock" />
          <span>{ours.waitsLong(moment(waitsLong.value, language.value))}</span>
        </p>
      )}
      {signedOut.value && driver.value !== undefined && url.value.pathname !== "/fahrer/anmelden" && (
        <p class="bar">
          <Icon name="person" />
          <span>{ours.ended}</span>
          <a class="button" href="/fahrer/anmelden">
            {ours.signIn.submit}
          </a>
        </p>
      )}
      {update.value !== undefined && url.value.pathname === "/fahrer" && (
        <p class="bar">
          <Icon name="loop" />
          <span>{ours.update}</span>
          <button type="button" onClick={update.value}>
            {ours.load}
          </button>
        </p>
      )}
    </div>
  );
}

/** What was just done, while it can be taken back. */
function UndoBar() {
  const ours = words.value;
  const action = undoable.value;
  return (
    <div class="undo" role="status" hidden={action === undefined}>
      {action !== undefined && (
        <>
          <span>{ours.saved(ours.what[action.what] ?? action.what)}</span>
          <button type="button" onClick={() => void takeBack(action.id)}>
            {ours.undo(Math.max(1, Math.ceil((action.heldUntil - now.value) / 1000)))}
          </button>
        </>
      )}
    </div>
  );
}

function Stranger({ email }: { email: string }) {
  const ours = words.value.stranger;
  return (
    <div class="panel">
      <h1 tabIndex={-1}>{ours.title}</h1>
      <p>{ours.todo(email)}</p>
      <button type="button" class="primary" onClick={() => void leave()}>
        {ours.change}
      </button>
      <a class="button" href="/partner" data-native>
        {ours.partner}
      </a>
    </div>
  );
}
