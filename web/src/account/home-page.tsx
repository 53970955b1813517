// The customer's account: orders and invoices, or the form to sign in.

import { useEffect, useRef } from "preact/hooks";
import type { Order } from "../api";
import { day, money } from "../format";
import { ApiError } from "../http";
import { wasteName } from "../order/choices";
import { findWaste } from "../order/selection";
import { catalog } from "../order/state";
import { mayBeSignedIn, user } from "../session";
import { keepLanguage, language, text } from "../text";
import { Icon, wasteIcon } from "../ui/icon";
import { focusHeading } from "../ui/lazy";
import { ProblemAlert } from "../ui/problem";
import { SignInForm } from "../ui/sign-in-dialog";
import { Skeleton } from "../ui/skeleton";
import { getInvoices, getOrders, type InvoiceSummary } from "./api";
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

/** What went wrong with a list, and the way on. */
export function ListProblem({ error, again }: { error: unknown; again: () => void }) {
  const signIn = error instanceof ApiError && error.problem.status === 401;
  return (
    <ProblemAlert error={error}>
      <button type="button" onClick={again}>
        {signIn ? text.value.account.signIn : text.value.again}
      </button>
    </ProblemAlert>
  );
}

function Orders() {
  const words = texts.value.account;
  const { answer: orders, error, again } = useAnswer(getOrders);
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
          <OrderRow key={order.order_id} order={order} />
        ))}
      </ul>
      {orders.length === 100 && <p class="hint">{words.newest(100)}</p>}
    </section>
  );
}

function OrderRow({ order }: { order: Order }) {
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
