// The bar at the bottom: price and terms from the first quote on, and the order button in the last step.

import { money, weight } from "../format";
import { language, text } from "../text";
import { checkoutForm } from "./step";
import { busy, quotes, selection, shownQuote, step } from "./state";

export function PriceBar() {
  const words = text.value;
  const quote = shownQuote.value;
  if (quote === undefined) return null;
  const loading = quotes.state.value.kind === "loading";
  const last = step.value === "adresse";
  return (
    <aside class="price-bar" aria-label={words.price.label} aria-busy={loading}>
      <div class="price-bar-inner">
        <p class="price" role="status">
          <strong>{money(quote.price.gross_cents, language.value, quote.price.currency)}</strong> <span>{words.price.vat}</span>
          {loading && <span class="unseen">{words.price.updating}</span>}
        </p>
        <ul class="terms">
          {selection.value.datum === "" && <li>{words.price.earliest}</li>}
          <li>{words.price.days(quote.included_days)}</li>
          <li>{words.price.extraDay(money(quote.extra_day_cents, language.value))}</li>
          {quote.tariff === "weight" ? (
            <li>{words.price.byWeight(weight(quote.included_kg, language.value), money(quote.extra_tonne_cents, language.value))}</li>
          ) : (
            <li>{words.price.weight(weight(quote.max_weight_kg, language.value))}</li>
          )}
        </ul>
        {last && (
          <button type="submit" form={checkoutForm} class="primary" disabled={busy.value || loading}>
            {busy.value ? words.checkout.submitting : words.checkout.submit}
          </button>
        )}
      </div>
    </aside>
  );
}
