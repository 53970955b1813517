// Photos and weighing slips of an order: pictures small, everything to be saved.

import { useSignal } from "@preact/signals";
import { documentAddress } from "../account/api";
import { words as texts } from "../account/words";
import type { Order } from "../api";
import { moment } from "../format";
import { language } from "../text";
import { Icon } from "../ui/icon";

type Document = NonNullable<Order["documents"]>[number];

export function OrderDocuments({ order }: { order: Order }) {
  const words = texts.value.documents;
  if (order.documents === undefined || order.documents.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="documents-title">
      <h2 id="documents-title">{words.title}</h2>
      <ul class="documents">
        {order.documents.map((document) => (
          <DocumentLink key={document.sha256} orderID={order.order_id} document={document} />
        ))}
      </ul>
    </section>
  );
}

function DocumentLink({ orderID, document: { sha256, kind, type, at } }: { orderID: string; document: Document }) {
  const address = documentAddress(orderID, sha256);
  const missing = useSignal(false);
  const name = texts.value.documents[kind === "slip" ? "slip" : "photo"](moment(at, language.value));
  return (
    <li>
      <a class="document" href={address} download data-native>
        <span class="document-picture">
          {type.startsWith("image/") && !missing.value ? <img src={address} alt="" loading="lazy" onError={() => (missing.value = true)} /> : <Icon name="paper" />}
        </span>
        {name}
      </a>
    </li>
  );
}
