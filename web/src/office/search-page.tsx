// What the services have found, merged; one that does not answer is told.

import type { ComponentChildren } from "preact";
import { findDocuments, findOrders, findPartners, findUsers, type FoundOrder } from "./api";
import { Away, euros, nameOf, State, useSource, useTitle, volume } from "./parts";
import { orderPath, partnerPath, searchPath } from "./places";
import { words } from "./text";
import { day } from "../format";
import { url } from "../route";
import { keepLanguage, language } from "../text";
import { Skeleton } from "../ui/skeleton";

export function SearchPage() {
  const ours = words.value;
  const q = (url.value.searchParams.get("q") ?? "").trim();
  useTitle(ours.search.title(q));
  const valid = q.length >= 3;
  const ask = <T,>(find: (q: string, stop?: AbortSignal) => Promise<T[]>) => (stop: AbortSignal) => (valid ? find(q, stop) : Promise.resolve([]));
  const orders = useSource(q, ask(findOrders));
  const users = useSource(q, ask(findUsers));
  const documents = useSource(q, ask(findDocuments));
  const partners = useSource(q, ask(findPartners));
  const all = [orders, users, documents, partners];
  const answered = all.filter(({ value }) => value !== undefined);
  const away = all.some(({ error }) => error !== undefined);
  const waits = all.some(({ value, error }) => value === undefined && error === undefined);
  const nothing = !waits && answered.every(({ value }) => value?.length === 0);
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{ours.search.title(q)}</h1>
        <p>{ours.search.first}</p>
      </div>
      <div class="told" role="status">
        {!valid && <p class="complaint">{ours.search.short}</p>}
        {valid && nothing && (
          <p>
            {away ? ours.search.noneAway : ours.search.none(q)} {ours.search.noneTodo}
          </p>
        )}
      </div>
      <div class="found">
        <Away service="order" source={orders} />
        <Group title={ours.groups.orders} list={orders.value} row={(order) => <OrderRow key={order.order_id} order={order} />} />
        <Away service="identity" source={users} />
        <Group
          title={ours.groups.users} list={users.value}
          row={({ user_id, name, email, role, partner_id }) => (
            <li key={user_id}>
              <a class="row" href={keepLanguage(searchPath(user_id)).replace(/\?lang=en$/, "&lang=en")}>
                <strong>{name}</strong>
                <span>{email}</span>
                <State>{ours.roles[role] ?? role}{partner_id === undefined ? "" : ` ${partner_id}`}</State>
                <span class="hint">{ours.search.ordersOf}</span>
              </a>
            </li>
          )}
        />
        <Away service="payment" source={documents} />
        <Group
          title={ours.groups.documents} list={documents.value}
          row={({ number, kind, state, to, total, order_id }) => (
            <li key={number}>
              <a class="row" href={keepLanguage(orderPath(order_id))}>
                <strong>{number}</strong>
                <span>{to}</span>
                <State tone={state === "objected" ? "alarm" : ""}>{ours.documentStates[state] ?? state}</State>
                <span class="hint">{ours.kinds[kind]} · {euros(total.gross_cents)}</span>
              </a>
            </li>
          )}
        />
        <Away service="disposer" source={partners} />
        <Group
          title={ours.groups.partners} list={partners.value}
          row={({ partner_id, name, postcode, city, active }) => (
            <li key={partner_id}>
              <a class="row" href={keepLanguage(partnerPath(partner_id))}>
                <strong>{name}</strong>
                <span>{postcode} {city}</span>
                <State tone={active ? "good" : "warm"}>{active ? ours.activePartner : ours.idlePartner}</State>
                <span class="hint">{partner_id}</span>
              </a>
            </li>
          )}
        />
        {waits && <Skeleton rows={3} kind="line" />}
      </div>
    </>
  );
}

function Group<T>({ title, list, row }: { title: string; list: T[] | undefined; row: (item: T) => ComponentChildren }) {
  if (list === undefined || list.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2>{title} <span class="count">{list.length}</span></h2>
      <ul class="rows">{list.map(row)}</ul>
    </section>
  );
}

export function OrderRow({ order }: { order: FoundOrder }) {
  const { states } = words.value;
  return (
    <li>
      <a class="row" href={keepLanguage(orderPath(order.order_id))}>
        <strong>{order.address.name}</strong>
        <span>
          {order.postcode} {order.address.city}, {order.address.street}
        </span>
        <State tone={order.state === "unmatched" ? "alarm" : ""}>{states[order.state] ?? order.state}</State>
        <span class="hint">
          {nameOf(order.waste_code)}, {volume(order.size_m3)} · {day(order.date, language.value, "numeric")}
          {order.container !== undefined && ` · ${order.container}`}
        </span>
      </a>
    </li>
  );
}
