// The frame around every page: header with the language switch, offline bar, main, footer, sign-in dialog.

import { useEffect } from "preact/hooks";
import { AccountPages } from "./account/lazy";
import { clock } from "./format";
import { unreachableSince } from "./http";
import { navigations, page, type Page, url } from "./route";
import { OrderPage } from "./order/order-page";
import { loadCatalog, quotes } from "./order/state";
import { user, waiting } from "./session";
import { keepLanguage, language, text } from "./text";
import { AccountMenu } from "./ui/account-menu";
import { Icon } from "./ui/icon";
import { focusHeading, lazily } from "./ui/lazy";

const SignInDialog = lazily(async () => (await import("./ui/sign-in-dialog")).SignInDialog, false).Lazy;
const SitesPages = lazily(async () => (await import("./sites/sites-app")).default).Lazy;
const PartnerPages = lazily(async () => (await import("./partner/partner-app")).default).Lazy;

export function App() {
  const words = text.value;
  const asked = page.value;
  // A site manager has one page; the customer's show money.
  const shown: Page = user.value?.role === "site_manager" && asked.name !== "partner" && asked.name !== "order" ? { name: "managed" } : asked;
  const path = url.value.pathname;

  useEffect(() => {
    if (navigations.peek() === 0 || (shown.name === "order" && url.peek().search !== "" && url.peek().search !== "?lang=en")) return;
    focusHeading();
  }, [path]);

  useEffect(() => {
    document.documentElement.lang = language.value;
    if (shown.name === "partner") return; // it names its pages itself
    const { account } = words;
    const title = { order: words.order.title, account: account.orders, sites: account.sites, managed: account.site, status: account.order, invoice: account.invoice, missing: words.missing.title }[shown.name];
    document.title = `${title} – ${words.brand}`;
  }, [shown.name, language.value]);

  return (
    <>
      <a class="to-content" href="#inhalt" data-native>
        {words.skip}
      </a>
      <Header />
      <OfflineBar />
      <main id="inhalt" tabIndex={-1}>
        {shown.name === "order" ? <OrderPage /> : shown.name === "missing" ? <Missing /> : shown.name === "partner" ? <PartnerPages /> : shown.name === "sites" ? <SitesPages managed={false} /> : shown.name === "managed" ? <SitesPages managed /> : <AccountPages shown={shown} />}
      </main>
      <footer class="page-footer">
        <p>
          {words.attribution}{" "}
          <a href="https://db-ip.com" rel="noopener external">
            DB-IP.com
          </a>{" "}
          (
          <a href="https://creativecommons.org/licenses/by/4.0/" rel="noopener external license">
            CC BY 4.0
          </a>
          )
        </p>
      </footer>
      {waiting.value !== undefined && <SignInDialog />}
    </>
  );
}

function Header() {
  const other = new URL(url.value);
  if (language.value === "de") other.searchParams.set("lang", "en");
  else other.searchParams.delete("lang");
  return (
    <header class="page-header">
      <a class="brand" href={keepLanguage("/bestellen")}>
        <Icon name="loop" />
        {text.value.brand}
      </a>
      <AccountMenu />
      <a class="language" href={other.href} lang={language.value === "de" ? "en" : "de"} hrefLang={language.value === "de" ? "en" : "de"}>
        {text.value.otherLanguage}
      </a>
    </header>
  );
}

function OfflineBar() {
  const since = unreachableSince.value;
  if (since === undefined) return null;
  return (
    <div class="offline" role="status">
      <Icon name="offline" />
      <span>{text.value.offline(clock(since, language.value))}</span>
      <button type="button" class="quiet" onClick={reconnect}>
        {text.value.again}
      </button>
    </div>
  );
}

/** Asks again for what a lost connection may have left open. An answer hides the bar. */
export function reconnect(): void {
  void loadCatalog();
  void quotes.refresh();
}

function Missing() {
  const words = text.value.missing;
  return (
    <div class="hero">
      <h1 tabIndex={-1}>{words.title}</h1>
      <p>{words.detail}</p>
      <a class="button primary" href={keepLanguage("/bestellen")}>
        {words.action}
      </a>
    </div>
  );
}
