// The frame of one step: open, answered (a summary with "change") or still to come.

import type { ComponentChildren } from "preact";
import { text } from "../text";
import { Icon } from "../ui/icon";
import { isAnswered, type Step, steps } from "./selection";
import { reopen, selection, step } from "./state";

/** The id of the form of the last step: the button in the price bar refers to it. */
export const checkoutForm = "bestellung";

export function StepFrame({ name, answer, children }: { name: Step; answer?: ComponentChildren; children: ComponentChildren }) {
  const words = text.value;
  const open = step.value === name;
  const answered = !open && isAnswered(selection.value, name);
  const state = open ? "open" : answered ? "answered" : "ahead";
  const number = steps.indexOf(name) + 1;
  return (
    <section class={`step step-${state}`} id={`schritt-${name}`} aria-current={open ? "step" : undefined}>
      <header>
        <span class="step-number" aria-hidden="true">
          {answered ? <Icon name="check" /> : number}
        </span>
        <h2 tabIndex={-1}>{open ? words.order.questions[name] : words.order.steps[name]}</h2>
        {answered && (
          <>
            <span class="step-answer">{answer}</span>
            <a class="step-change" href={reopen(name)} aria-label={`${words.order.steps[name]}: ${words.change}`}>
              {words.change}
            </a>
          </>
        )}
      </header>
      {open && <div class="step-body">{children}</div>}
    </section>
  );
}
