// The customer's account: orders and invoices, or the form to sign in.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Order } from "../api";
import { day, money } from "../format";
import { wasteName } from "../order/choices";
import { findWaste } from "../order/selection";
import { catalog } from "../order/state";
import { navigate, url } from "../route";
import { mayBeSignedIn, user } from "../session";
import { getSites, type Site } from "../sites/api";
import { keepLanguage, language, text } from "../text";
import { Icon, wasteIcon } from "../ui/icon";
import { focusHeading } from "../ui/lazy";
import { SignInForm } from "../ui/sign-in-dialog";
import { Skeleton } from "../ui/skeleton";
import { getInvoices, getOrders, type InvoiceSummary, proofAddress } from "./api";
import { ListProblem } from "./list-problem";
import { useAnswer } from "./loaded";
import { invoiceState, orderTone } from "./states";
import { words as texts } from "./words";

export function HomePage() {
  const nobody = user.value === undefined && !mayBeSignedIn();
  const before = useRef(nobody);
  useEffect(() => {
    // Signing in and out makes another page under the same address.
    if (before.current !== nobody) focusHeading();
    before.current = nobody;
  }, [nobody]);
  return nobody ? <SignIn /> : <Lists />;
}

function SignIn() {
  const words = texts.value.account.signIn;
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{words.title}</h1>
        <p>{words.detail}</p>
      </div>
      <section class="panel sign-in" aria-label={words.title}>
        <SignInForm submitLabel={words.submit} />
        <p class="hint">
          {words.fresh} <a href={keepLanguage("/bestellen")}>{words.order}</a> · <a href={keepLanguage("/konto/neu")}>{words.open}</a>
        </p>
      </section>
    </>
  );
}

function Lists() {
  const words = texts.value.account;
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{words.orders}</h1>
        {user.value !== undefined && <p>{words.greeting(user.value.name)}</p>}
      </div>
      <div class="account">
        <Orders />
        <Invoices />
      </div>
    </>
  );
}

function Orders() {
  const site = url.value.searchParams.get("baustelle") ?? "";
  const sites = useSites();
  return (
    <>
      <SiteFilter sites={sites} chosen={site} />
      <OrderList key={site} site={site} sites={sites} />
    </>
  );
}

/** The customer's sites. Without the service that knows them the orders stand for themselves. */
function useSites(): Site[] {
  const sites = useSignal<Site[]>([]);
  const who = user.value?.user_id;
  useEffect(() => {
    if (who !== undefined) getSites().then((found) => (sites.value = found), () => undefined);
  }, [who]);
  return sites.value;
}

function SiteFilter({ sites, chosen }: { sites: Site[]; chosen: string }) {
  const words = texts.value.account;
  const home = keepLanguage("/konto");
  const narrow = (id: string) => navigate(id === "" ? home : `${home}${home.includes("?") ? "&" : "?"}baustelle=${id}`, true);
  return (
    <div class="site-filter">
      {sites.length > 0 && (
        <div class="field">
          <label for="site-filter">{words.site}</label>
          <select id="site-filter" value={chosen} onChange={(event) => narrow(event.currentTarget.value)}>
            <option value="">{words.allSites}</option>
            {sites.map((site) => (
              <option key={site.site_id} value={site.site_id} selected={site.site_id === chosen}>
                {site.name}
              </option>
            ))}
          </select>
        </div>
      )}
      <a class="button" href={keepLanguage("/konto/baustellen")}>
        {words.sites}
      </a>
    </div>
  );
}

function OrderList({ site, sites }: { site: string; sites: Site[] }) {
  const words = texts.value.account;
  const { answer: orders, error, again } = useAnswer(() => getOrders(site));
  if (error !== undefined) return <ListProblem error={error} again={again} />;
  if (orders === undefined) return <Skeleton rows={3} kind="card" />;
  if (orders.length === 0) {
    return (
      <section class="panel empty" aria-labelledby="empty-title">
        <Icon name="skip" className="icon hero-picture" />
        <h2 id="empty-title">{words.noOrders.title}</h2>
        <p>{words.noOrders.detail}</p>
        <a class="button primary" href={keepLanguage("/bestellen")}>
          {words.noOrders.action}
        </a>
      </section>
    );
  }
  return (
    <section aria-label={words.orders}>
      <ul class="rows">
        {orders.map((order) => (
          <OrderRow key={order.order_id} order={order} site={sites.find((each) => each.site_id === order.site_id)} />
        ))}
      </ul>
      {orders.length === 100 && <p class="hint">{words.newest(100)}</p>}
      <Proofs orders={orders} />
    </section>
  );
}

/** The proof of each year in which a container was fetched, newest first. */
function Proofs({ orders }: { orders: Order[] }) {
  const words = texts.value.account;
  const fetched = orders.flatMap(({ history }) => history.filter(({ state, planned, failed_trip, corrected }) => state === "collected" && planned === undefined && failed_trip === undefined && corrected === undefined));
  const years = [...new Set(fetched.map(({ at }) => new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin", year: "numeric" }).format(new Date(at))))].toSorted().reverse();
  if (years.length === 0) return null;
  return (
    <p class="hint">
      {words.proof}{" "}
      {years.map((year) => (
        <a key={year} href={proofAddress(year)} data-native download>
          {year}
        </a>
      ))}
    </p>
  );
}

function OrderRow({ order, site }: { order: Order; site: Site | undefined }) {
  const words = texts.value.account;
  const lang = language.value;
  const waste = catalog.value === undefined ? undefined : findWaste(catalog.value, order.waste_code);
  return (
    <li class="card row">
      <Icon name={wasteIcon(order.waste_code)} className="icon card-icon" />
      <div class="row-body">
        <h2>
          <a class="card-link" href={keepLanguage(`/auftrag/${encodeURIComponent(order.order_id)}`)}>
            {waste === undefined ? order.waste_code : wasteName(waste)}, {text.value.size.name(order.size_m3)}
          </a>
        </h2>
        <p class="hint">{words.placedOn(day(order.date, lang, "short"))}</p>
        <p class="hint">
          {site !== undefined && `${site.name}, `}
          {order.address.street}, {order.postcode} {order.address.city}
        </p>
      </div>
      <span class={`badge badge-${orderTone(order.state)}`}>{words.states[order.state] ?? order.state}</span>
      <span class="row-sum">{money((order.invoice?.total ?? order.price).gross_cents, lang, order.price.currency)}</span>
    </li>
  );
}

function Invoices() {
  const words = texts.value.account;
  const { answer: invoices, error, again } = useAnswer(getInvoices);
  return (
    <section aria-labelledby="invoices-title">
      <h2 id="invoices-title">{words.invoices}</h2>
      {error !== undefined ? (
        <ListProblem error={error} again={again} />
      ) : invoices === undefined ? (
        <Skeleton rows={1} kind="card" />
      ) : invoices.length === 0 ? (
        <p class="hint">{words.noInvoices}</p>
      ) : (
        <ul class="rows">
          {invoices.map((invoice) => (
            <InvoiceRow key={invoice.number} invoice={invoice} />
          ))}
        </ul>
      )}
    </section>
  );
}

function InvoiceRow({ invoice }: { invoice: InvoiceSummary }) {
  const words = texts.value.invoice;
  const lang = language.value;
  const partly = invoice.open_cents > 0 && invoice.open_cents < invoice.total.gross_cents;
  return (
    <li class="card row">
      <Icon name="paper" className="icon card-icon" />
      <div class="row-body">
        <h3>
          <a class="card-link" href={keepLanguage(`/rechnung/${encodeURIComponent(invoice.number)}`)}>
            {invoice.number}
          </a>
        </h3>
        <p class="hint">{words.issued(day(invoice.issued_on, lang, "numeric"))}</p>
        {invoice.state === "issued" && (
          <p class="hint">
            {words.due(day(invoice.due_on, lang, "numeric"))}
            {partly && `, ${words.openOf(money(invoice.open_cents, lang, invoice.total.currency))}`}
          </p>
        )}
      </div>
      <InvoiceBadge invoice={invoice} />
      <span class="row-sum">{money(invoice.total.gross_cents, lang, invoice.total.currency)}</span>
    </li>
  );
}

export function InvoiceBadge({ invoice }: { invoice: InvoiceSummary }) {
  const { state, tone } = invoiceState(invoice, new Date());
  return <span class={`badge badge-${tone}`}>{texts.value.invoice.states[state]}</span>;
}
