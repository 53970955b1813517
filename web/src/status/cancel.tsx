// Cancelling an order: closed until it is asked for, with a reason, because it cannot be taken back.

import { useSignal } from "@preact/signals";
import { words as texts } from "../account/words";
import { cancelOrder, type Order } from "../api";
import { withSession } from "../session";
import { ProblemAlert } from "../ui/problem";
import { reasons } from "./timeline";

export function Cancel({ order, onCancelled }: { order: Order; onCancelled: (order: Order) => void }) {
  const words = texts.value.status;
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget as HTMLFormElement).get("/reason"));
    busy.value = true;
    error.value = undefined;
    try {
      onCancelled(await withSession(() => cancelOrder(order.order_id, reason)));
    } catch (cause) {
      error.value = cause;
    } finally {
      busy.value = false;
    }
  };

  return (
    <details class="cancel">
      <summary>{words.cancel}</summary>
      <form class="form" onSubmit={submit}>
        <div class="field">
          <label for="cancel-reason">{words.cancelReason}</label>
          <select id="cancel-reason" name="/reason">
            {reasons.map((reason) => (
              <option key={reason} value={reason}>
                {words.reasons[reason]}
              </option>
            ))}
          </select>
        </div>
        <ProblemAlert error={error.value} />
        <button type="submit" disabled={busy.value}>
          {words.cancelSubmit}
        </button>
      </form>
    </details>
  );
}
