// The page of whoever looks after one site, by a link and without an account: the orders for the site, and the wish for a pick-up.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useAnswer } from "../account/loaded";
import { words as accountWords } from "../account/words";
import type { Order } from "../api";
import { day } from "../format";
import { wasteName } from "../order/choices";
import { findWaste } from "../order/selection";
import { catalog } from "../order/state";
import { url } from "../route";
import { loadSession, sessionKnown, user } from "../session";
import { PickUp } from "../status/pick-up";
import { language, text } from "../text";
import { Icon, wasteIcon } from "../ui/icon";
import { ProblemAlert } from "../ui/problem";
import { Skeleton } from "../ui/skeleton";
import { getManagedSite, getSiteOrders, type SiteOrder, visit } from "./api";
import { words as texts } from "./text";

export function ManagerPage() {
  const words = texts.value.managed;
  const code = url.value.hash.slice(1);
  const error = useSignal<unknown>(undefined);
  const other = user.value !== undefined && user.value.role !== "site_manager";

  const open = async () => {
    error.value = undefined;
    try {
      await visit(code);
      await loadSession();
      // The code goes out of the address bar: nobody who looks over a shoulder or at the history gets it.
      history.replaceState(null, "", location.pathname + location.search);
      url.value = new URL(location.href);
    } catch (cause) {
      error.value = cause;
    }
  };
  useEffect(() => {
    if (code !== "" && sessionKnown.value && !other) void open();
  }, [code, sessionKnown.value]);

  if (code === "" && user.value?.role === "site_manager") return <SiteView key={user.value.user_id} />;
  const waits = code !== "" && error.value === undefined && !other;
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{waits || other ? words.title : words.closedTitle}</h1>
        {waits || !sessionKnown.value ? <p role="status">{words.opening}</p> : !other && <p>{words.closed}</p>}
      </div>
      {other && code !== "" && (
        <div class="panel">
          <p>{words.instead(user.value?.name ?? "")}</p>
          <button type="button" class="primary" onClick={open}>
            {words.open}
          </button>
        </div>
      )}
      <ProblemAlert error={error.value} />
    </>
  );
}

function SiteView() {
  const words = texts.value.managed;
  const { answer: site } = useAnswer(() => getManagedSite(user.peek()?.site_id ?? ""));
  const { answer: orders, error, again } = useAnswer(getSiteOrders);
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{site?.name ?? words.title}</h1>
        {site !== undefined && (
          <p>
            {site.street}, {site.postcode} {site.city}
          </p>
        )}
      </div>
      <section class="account" aria-labelledby="orders-title">
        <h2 id="orders-title">{words.orders}</h2>
        <ProblemAlert error={error}>
          <button type="button" onClick={again}>
            {text.value.again}
          </button>
        </ProblemAlert>
        {orders === undefined ? error === undefined && <Skeleton rows={2} kind="card" /> : orders.length === 0 && <p class="hint">{words.none}</p>}
        {orders?.map((order) => (
          <SiteOrderCard key={`${order.order_id} ${order.pick_up_on ?? ""}`} order={order} onChange={again} />
        ))}
      </section>
    </>
  );
}

function SiteOrderCard({ order, onChange }: { order: SiteOrder; onChange: () => void }) {
  const words = texts.value.managed;
  const account = accountWords.value.account;
  const waste = catalog.value === undefined ? undefined : findWaste(catalog.value, order.waste_code);
  return (
    <article class="panel site">
      <header>
        <h3 class="with-icon">
          <Icon name={wasteIcon(order.waste_code)} />
          {waste === undefined ? order.waste_code : wasteName(waste)}, {text.value.size.name(order.size_m3)}
        </h3>
        <span class={`badge badge-${order.state === "weighed" ? "good" : order.state === "cancelled" ? "over" : "now"}`}>{account.states[order.state] ?? order.state}</span>
      </header>
      <p class="hint">
        {account.placedOn(day(order.date, language.value, "short"))}
        {order.container !== undefined && `, ${words.number(order.container)}`}
      </p>
      {order.state === "on_site" && <PickUp order={order as unknown as Order} onAsked={onChange} />}
    </article>
  );
}
