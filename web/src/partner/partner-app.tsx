// The partner's part of the site: who may come in, its navigation, and its pages. Customers do not load it.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import "./partner.css";
import { getDispatcher, getOffers } from "./api";
import { CreditNotesPage } from "./credit-notes-page";
import { JobPage } from "./job-page";
import { JobsPage } from "./jobs-page";
import { OffersPage } from "./offers-page";
import { PartnerProblem, statusOf, useTitle } from "./parts";
import { placeOf } from "./places";
import { usePolled } from "./poll";
import { SignInPage } from "./sign-in-page";
import { words } from "./text";
import { ApiError } from "../http";
import { url } from "../route";
import { leave, user } from "../session";
import { keepLanguage, text } from "../text";
import { lazily } from "../ui/lazy";
import { Skeleton } from "../ui/skeleton";

const Planning = lazily(async () => (await import("./planning")).default).Lazy;

export default function PartnerApp() {
  const asked = useSignal(false);
  const error = useSignal<unknown>(undefined);

  const ask = async () => {
    error.value = undefined;
    try {
      user.value = await getDispatcher();
    } catch (cause) {
      if (statusOf(cause) === 401) user.value = undefined;
      else error.value = cause;
    }
    asked.value = true;
  };
  useEffect(() => void ask(), []);

  const known = user.value;
  if (!asked.value) return <Frame><Skeleton rows={4} kind="line" /></Frame>;
  if (error.value !== undefined) {
    return (
      <Frame>
        <PartnerProblem error={error.value}>
          <button type="button" onClick={() => void ask()}>
            {words.value.again}
          </button>
        </PartnerProblem>
      </Frame>
    );
  }
  if (known === undefined) return <div class="partner"><SignInPage /></div>;
  if (known.role === "driver") return <ToDriver />;
  if (known.role !== "dispatcher") return <div class="partner"><Stranger email={known.email} role={known.role} /></div>;
  return <Pages key={known.user_id} email={known.email} />;
}

/** The page before anybody knows who is there. */
function Frame({ children }: { children: preact.ComponentChildren }) {
  useTitle(words.value.area);
  return (
    <div class="partner">
      <div class="hero">
        <h1 tabIndex={-1}>{words.value.area}</h1>
      </div>
      {children}
    </div>
  );
}

function Pages({ email }: { email: string }) {
  const place = placeOf(url.value.pathname);
  const offers = usePolled(getOffers, 5_000);
  const count = offers.value?.length ?? 0;
  const { nav } = words.value;
  const title = { offers: nav.offers, jobs: nav.jobs, job: nav.jobs, "credit-notes": nav.notes, plan: nav.plan, fleet: nav.fleet, missing: words.value.missing.title }[place.name];
  useTitle(count > 0 ? `(${count}) ${title}` : title);
  const leaving = useSignal<unknown>(undefined);

  const link = (path: string, label: string, here: boolean, badge = 0) => (
    <li>
      <a href={keepLanguage(path)} {...(here ? { "aria-current": "page" as const } : {})}>
        {label}
        {badge > 0 && (
          <span class="badge">
            {badge}
            <span class="unseen"> {words.value.open(badge).replace(/^\d+ /, "")}</span>
          </span>
        )}
      </a>
    </li>
  );
  return (
    <div class="partner">
      <nav class="partner-nav" aria-label={words.value.area}>
        <ul>
          {link("/partner", nav.offers, place.name === "offers", count)}
          {link("/partner/auftraege", nav.jobs, place.name === "jobs" || place.name === "job")}
          {link("/partner/planung", nav.plan, place.name === "plan")}
          {link("/partner/gutschriften", nav.notes, place.name === "credit-notes")}
          {link("/partner/betrieb", nav.fleet, place.name === "fleet")}
        </ul>
      </nav>
      {place.name === "offers" && <OffersPage offers={offers} />}
      {place.name === "jobs" && <JobsPage />}
      {place.name === "job" && <JobPage key={place.id} id={place.id} />}
      {place.name === "credit-notes" && <CreditNotesPage />}
      {(place.name === "plan" || place.name === "fleet") && <Planning shown={place.name} />}
      {place.name === "missing" && <Missing />}
      <PartnerProblem error={leaving.value} />
      <p class="whoami hint">
        {text.value.checkout.signedIn(email)}
        <button type="button" class="quiet" onClick={() => leave().catch((cause: unknown) => (leaving.value = cause))}>
          {words.value.leave}
        </button>
      </p>
    </div>
  );
}

function Missing() {
  const { title, detail, action } = words.value.missing;
  return (
    <div class="hero">
      <h1 tabIndex={-1}>{title}</h1>
      <p>{detail}</p>
      <a class="button primary" href={keepLanguage("/partner")}>
        {action}
      </a>
    </div>
  );
}

/** Drivers have an app of their own. */
function ToDriver() {
  useEffect(() => location.replace("/fahrer"), []);
  return <Skeleton rows={4} kind="line" />;
}

/** Somebody who is signed in, but not as a dispatcher. */
function Stranger({ email, role }: { email: string; role: string }) {
  const { signIn } = words.value;
  const error = useSignal<unknown>(undefined);
  useTitle(signIn.otherTitle);
  const change = async () => {
    try {
      await leave();
    } catch (cause) {
      if (cause instanceof ApiError && cause.problem.status === 401) user.value = undefined;
      else error.value = cause;
    }
  };
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{signIn.otherTitle}</h1>
        <p>{signIn.other(email, role)}</p>
      </div>
      <PartnerProblem error={error.value} />
      <div class="buttons stranger">
        <button type="button" class="primary" onClick={() => void change()}>
          {signIn.switchAccount}
        </button>
        <a class="button" href={keepLanguage("/bestellen")}>
          {signIn.toOrder}
        </a>
      </div>
    </>
  );
}
