// The back office's part of the site: who may come in, the search that stands on every page, and its pages. Customers do not load it.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import "./office.css";
import { whoAmI } from "./api";
import { BankPage } from "./bank-page";
import { OrderPage } from "./order-page";
import { PartnerPage } from "./partner-page";
import { PartnersPage } from "./partners-page";
import { OfficeProblem, statusOf, useTitle } from "./parts";
import { placeOf, searchPath } from "./places";
import { SearchPage } from "./search-page";
import { SignInPage } from "./sign-in-page";
import { words } from "./text";
import { WorkPage } from "./work-page";
import { navigate, url } from "../route";
import { leave, user } from "../session";
import { keepLanguage, language } from "../text";
import { Skeleton } from "../ui/skeleton";

export default function OfficeApp() {
  const asked = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const ask = async () => {
    error.value = undefined;
    try {
      user.value = await whoAmI();
    } catch (cause) {
      if (statusOf(cause) === 401) user.value = undefined;
      else error.value = cause;
    }
    asked.value = true;
  };
  useEffect(() => void ask(), []);

  const known = user.value;
  if (!asked.value || error.value !== undefined) {
    return (
      <div class="office">
        <Title />
        {!asked.value && <Skeleton rows={4} kind="line" />}
        <OfficeProblem error={error.value}>
          <button type="button" onClick={() => void ask()}>
            {words.value.again}
          </button>
        </OfficeProblem>
      </div>
    );
  }
  if (known === undefined) return <div class="office"><SignInPage /></div>;
  if (known.role !== "back_office") return <div class="office"><Stranger email={known.email} /></div>;
  return <Pages key={known.user_id} />;
}

/** The heading before anybody knows who is there. */
function Title() {
  useTitle(words.value.area);
  return (
    <div class="hero">
      <h1 tabIndex={-1}>{words.value.area}</h1>
    </div>
  );
}

function Pages() {
  const place = placeOf(url.value.pathname);
  const { nav } = words.value;
  const link = (path: string, label: string, here: boolean) => (
    <li>
      <a href={keepLanguage(path)} {...(here ? { "aria-current": "page" as const } : {})}>
        {label}
      </a>
    </li>
  );
  return (
    <div class="office">
      <div class="office-bar">
        <nav class="office-nav" aria-label={words.value.area}>
          <ul>
            {link("/office", nav.work, place.name === "work")}
            {link("/office/partner", nav.partners, place.name === "partners" || place.name === "partner")}
            {link("/office/bank", nav.bank, place.name === "bank")}
          </ul>
        </nav>
        <Search />
      </div>
      {place.name === "work" && <WorkPage />}
      {place.name === "search" && <SearchPage />}
      {place.name === "order" && <OrderPage key={place.id} id={place.id} />}
      {place.name === "partners" && <PartnersPage />}
      {place.name === "partner" && <PartnerPage key={place.id} id={place.id} />}
      {place.name === "bank" && <BankPage />}
      {place.name === "missing" && <Missing />}
    </div>
  );
}

/** The one search; its words stand in the address, so a result can be sent to a colleague. */
function Search() {
  const { search } = words.value;
  const short = useSignal(false);
  const at = url.value.pathname === "/office/suche" ? (url.value.searchParams.get("q") ?? "") : "";
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const q = String(new FormData(event.currentTarget as HTMLFormElement).get("q") ?? "").trim();
    short.value = q.length < 3;
    if (!short.value) navigate(searchPath(q) + (language.value === "en" ? "&lang=en" : ""));
  };
  return (
    <form class="search" role="search" noValidate onSubmit={submit}>
      <label for="office-search" class="unseen">
        {search.label}
      </label>
      <input key={at} type="search" id="office-search" name="q" defaultValue={at} placeholder={search.label} maxLength={100} autoComplete="off" aria-invalid={short.value} aria-describedby="office-search-hint" />
      <button type="submit">{search.submit}</button>
      <p class={short.value ? "complaint" : "hint"} id="office-search-hint">
        {short.value ? search.short : search.hint}
      </p>
    </form>
  );
}

function Missing() {
  const { title, detail, action } = words.value.missing;
  useTitle(title);
  return (
    <div class="hero">
      <h1 tabIndex={-1}>{title}</h1>
      <p>{detail}</p>
      <a class="button primary" href={keepLanguage("/office")}>
        {action}
      </a>
    </div>
  );
}

/** Somebody who is signed in, but not as the back office. */
function Stranger({ email }: { email: string }) {
  const { signIn } = words.value;
  const error = useSignal<unknown>(undefined);
  useTitle(signIn.otherTitle);
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{signIn.otherTitle}</h1>
        <p>{signIn.other(email)}</p>
      </div>
      <OfficeProblem error={error.value} />
      <div class="buttons narrow">
        <button type="button" class="primary" onClick={() => leave().catch((cause: unknown) => (error.value = cause))}>
          {signIn.switchAccount}
        </button>
      </div>
    </>
  );
}
