// The order page: a short promise, the steps, and what went wrong with the catalogue or the price.

import { useEffect, useRef } from "preact/hooks";
import { preloadAccount } from "../account/lazy";
import { navigations } from "../route";
import { text } from "../text";
import { ProblemAlert } from "../ui/problem";
import { Icon } from "../ui/icon";
import sprite from "../ui/icons.svg";
import { Skeleton } from "../ui/skeleton";
import { CheckoutForm, preloadCheckout, preloadDate } from "./later-lazy";
import { DateStep, PostcodeStep, SizeStep, WasteStep } from "./choices";
import { catalog, catalogError, loadCatalog, quotes, refusal, resumed, selection, step } from "./state";
import { PriceBar } from "./price-bar";
import { StepFrame } from "./step";

export function OrderPage() {
  const words = text.value;
  const steps = useRef<HTMLDivElement>(null);
  const open = step.value;
  const first = useRef(true);

  // A new step takes the focus and the top of the screen; the first page load does neither.
  useEffect(() => {
    const arrived = first.current;
    first.current = false;
    if (arrived || navigations.peek() === 0) return;
    const section = steps.current?.querySelector(`#schritt-${open}`);
    section?.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
    section?.scrollIntoView({ block: "start" });
  }, [open]);

  const placeKnown = selection.value.plz !== "";
  useEffect(() => {
    if (placeKnown) preloadDate();
    if (placeKnown) preloadCheckout();
    if (open === "adresse") preloadAccount(); // the next page
  }, [placeKnown, open]);

  const offered = catalog.value;
  return (
    <>
      <div class="hero hero-pictured">
        <div>
          <h1 tabIndex={-1}>{words.order.title}</h1>
          <p>{words.order.lead}</p>
        </div>
        <svg class="icon hero-picture" aria-hidden="true" viewBox="0 0 96 56">
          <use href={`${sprite}#skip`} />
        </svg>
      </div>
      {offered !== undefined ? (
        <div class="steps" ref={steps}>
          {resumed.value !== undefined && (
            <p class="note" role="status">
              <Icon name="loop" />
              <span>{words.order.resumed}</span>
              <button type="button" class="quiet" onClick={resumed.value}>
                {words.order.anew}
              </button>
            </p>
          )}
          <PostcodeStep />
          <WasteStep catalog={offered} />
          <SizeStep catalog={offered} />
          <DateStep catalog={offered} />
          <QuoteProblem />
          <StepFrame name="adresse">
            <CheckoutForm />
          </StepFrame>
        </div>
      ) : catalogError.value !== undefined ? (
        <ProblemAlert error={catalogError.value}>
          <button type="button" onClick={loadCatalog}>
            {words.again}
          </button>
        </ProblemAlert>
      ) : (
        <Skeleton rows={5} kind="card" />
      )}
      <PriceBar />
    </>
  );
}

/** A price that could not be had for a reason that belongs to no step. */
function QuoteProblem() {
  const state = quotes.state.value;
  if (state.kind !== "failed" || refusal.value !== undefined) return null;
  return (
    <ProblemAlert error={state.error}>
      <button type="button" onClick={() => quotes.refresh()}>
        {text.value.again}
      </button>
    </ProblemAlert>
  );
}
