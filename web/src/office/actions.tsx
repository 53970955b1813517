// What the back office does to an order by hand: each step asks for a reason and tells its effect on invoice, credit note and mails first. Who
// has seen an older state changes nothing, and gets the new one.

import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { cancelInvoice, cancelOrder, type Choice, type FoundDocument, getChoices, type Match, reassign, type Record } from "./api";
import { complaintsIn, Entry, euros, isStale, OfficeProblem, State } from "./parts";
import { marginOf } from "./rules";
import { words } from "./text";
import { withSession } from "../session";
import { focusFirstComplaint } from "../ui/field";
import type { Complaints } from "../ui/problem";
import { Skeleton } from "../ui/skeleton";

interface Props {
  record: Record;
  match: Match | undefined;
  documents: FoundDocument[] | undefined;
  /** Loads everything anew: somebody else has changed it. */
  onRefresh: () => void;
  onDone: (text: string) => void;
}

type Step = "cancel" | "reassign" | "correct";

export function Actions(props: Props) {
  const { record, match, documents } = props;
  const ours = words.value.act;
  const open = useSignal<Step | undefined>(undefined);
  const invoice = documents?.find(({ kind, state }) => kind === "invoice" && (state === "issued" || state === "paid"));
  const steps: Step[] = [];
  if (match !== undefined && ["offered", "unmatched"].includes(match.state)) steps.push("reassign");
  if (record.steps.includes("cancel")) steps.push("cancel");
  if (invoice !== undefined) steps.push("correct");
  const close = () => (open.value = undefined);
  const done = (text: string) => {
    close();
    props.onDone(text);
  };
  return (
    <section class="panel" aria-labelledby="act-title">
      <h2 id="act-title">{ours.title}</h2>
      {steps.length === 0 && <p class="hint">{ours.none}</p>}
      <div class="buttons">
        {steps.map((step) => (
          <button key={step} type="button" onClick={() => (open.value = step)}>
            {ours[step]}
          </button>
        ))}
      </div>
      {open.value === "cancel" && <Cancel {...props} onDone={done} onClose={close} />}
      {open.value === "reassign" && match !== undefined && <Reassign {...props} match={match} onDone={done} onClose={close} />}
      {open.value === "correct" && invoice !== undefined && <Correct {...props} invoice={invoice} onDone={done} onClose={close} />}
    </section>
  );
}

function Cancel({ record, match, onRefresh, onDone, onClose }: Props & { onClose: () => void }) {
  const { act } = words.value;
  const { effects } = act;
  const asked = match?.state === "offered" ? match.candidates.find(({ outcome }) => outcome === "offered") : undefined;
  const list = [effects.noInvoice, effects.noCredit, ...(record.order.partner_id === undefined ? [] : [effects.losesPartner(record.order.partner_id)]), ...(asked === undefined ? [] : [effects.offerEnds(asked.name)]), effects.cancelMail];
  return (
    <ActDialog
      title={act.cancel} effects={list} onClose={onClose} onRefresh={onRefresh}
      act={async (reason) => {
        await cancelOrder(record.order.order_id, record.version, reason);
        onDone(act.done.cancel);
      }}
    />
  );
}

function Reassign({ record, match, documents, onRefresh, onDone, onClose }: Props & { match: Match; onClose: () => void }) {
  const { act } = words.value;
  const { effects } = act;
  const choices = useSignal<Choice[] | undefined>(undefined);
  const failed = useSignal<unknown>(undefined);
  const chosen = useSignal<string>("");
  const id = record.order.order_id;
  const load = () => {
    failed.value = undefined;
    withSession(() => getChoices(id)).then((list) => (choices.value = list), (cause: unknown) => (failed.value = cause));
  };
  useEffect(load, [match.version]);
  const choice = choices.value?.find(({ partner_id }) => partner_id === chosen.value);
  const asked = match.state === "offered" ? match.candidates.find(({ outcome }) => outcome === "offered") : undefined;
  const list = choice === undefined ? [] : [
    ...(asked === undefined ? [] : [effects.offerEnds(asked.name)]),
    choice.auto_accept ? effects.autoAccept : effects.waits,
    effects.sameInvoice(euros(record.order.price.net_cents)),
    effects.credit(euros(choice.pay.net_cents), asked === undefined ? "" : effects.before(euros(asked.pay.net_cents))),
    effects.margin(euros(marginOf({ ...record, pay: choice.pay }, documents).marginCents)),
    effects.matchedMail,
  ];
  return (
    <ActDialog
      title={act.reassign} effects={list} onClose={onClose} onRefresh={() => (onRefresh(), load())} missing={choice === undefined ? act.chooseFirst : ""}
      act={async (reason) => {
        await reassign(id, match.version, { partner_id: chosen.value, reason });
        onDone(act.done.reassign);
      }}
    >
      <fieldset class="choices">
        <legend>{act.choose}</legend>
        {choices.value === undefined && failed.value === undefined && <Skeleton rows={3} kind="line" />}
        <OfficeProblem error={failed.value}>
          <button type="button" onClick={load}>
            {words.value.again}
          </button>
        </OfficeProblem>
        {choices.value?.map((each) => (
          <Option key={each.partner_id} choice={each} price={record.order.price.net_cents} chosen={chosen} />
        ))}
      </fieldset>
    </ActDialog>
  );
}

function Option({ choice, price, chosen }: { choice: Choice; price: number; chosen: Signal<string> }) {
  const { act, order } = words.value;
  const why = act.why[choice.why] ?? choice.why;
  const margin = price - choice.pay.net_cents;
  return (
    <label class={choice.possible ? "choice" : "choice choice-off"}>
      <input type="radio" name="/partner_id" value={choice.partner_id} checked={chosen.value === choice.partner_id} disabled={!choice.possible} onChange={() => (chosen.value = choice.partner_id)} />
      <span>
        <strong>{choice.name}</strong> {choice.asked !== undefined && <State>{order.outcomes[choice.asked] ?? choice.asked}</State>}
        {why !== "" && <State tone="warm">{why}</State>}
        {choice.possible && (
          <small class="hint">
            {choice.distance_km} km · {order.pay} {euros(choice.pay.net_cents)} · {order.margin} {euros(margin)}
          </small>
        )}
      </span>
    </label>
  );
}

function Correct({ invoice, documents, onRefresh, onDone, onClose }: Props & { invoice: FoundDocument; onClose: () => void }) {
  const { act } = words.value;
  const { effects } = act;
  const credit = documents?.find(({ kind }) => kind === "credit-note");
  const list = [
    effects.invoiceOff(invoice.number, euros(invoice.total.gross_cents)),
    ...(invoice.paid_cents > 0 ? [effects.paidBack(euros(invoice.paid_cents))] : []),
    credit === undefined ? effects.creditNone : effects.creditStays(credit.number),
    effects.noNewInvoice,
    effects.noMail,
  ];
  return (
    <ActDialog
      title={`${act.correct} ${invoice.number}`} effects={list} onClose={onClose} onRefresh={onRefresh}
      act={async (reason) => {
        const { number } = await cancelInvoice(invoice.number, reason);
        onDone(act.done.correct(number));
      }}
    />
  );
}

interface DialogProps {
  title: string;
  effects: string[];
  /** What is still to be chosen; empty when the step can be taken. */
  missing?: string;
  act: (reason: string) => Promise<void>;
  onRefresh: () => void;
  onClose: () => void;
  children?: ComponentChildren;
}

/** Asks for the reason of a step and tells its effect, before it is taken. */
export function ActDialog({ title, effects, missing = "", act, onRefresh, onClose, children }: DialogProps) {
  const ours = words.value.act;
  const dialog = useRef<HTMLDialogElement>(null);
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaints = useSignal<Complaints>({});
  useEffect(() => dialog.current?.showModal(), []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const reason = String(new FormData(form).get("/reason") ?? "").trim();
    error.value = undefined;
    complaints.value = {
      ...(missing === "" ? {} : { missing: { text: missing } }),
      ...(reason.length < 5 || reason.length > 500 ? { "/reason": { text: ours.reasonRefused } } : {}),
    };
    if (Object.keys(complaints.value).length > 0) return;
    busy.value = true;
    try {
      await withSession(() => act(reason));
    } catch (cause) {
      error.value = cause;
      complaints.value = complaintsIn(cause);
      focusFirstComplaint(form);
      if (isStale(cause)) onRefresh();
    } finally {
      busy.value = false;
    }
  };
  return (
    <dialog ref={dialog} class="act" aria-labelledby="dialog-title" onCancel={onClose}>
      <form class="form" noValidate onSubmit={submit} onInput={() => (complaints.value = {})}>
        <h2 id="dialog-title">{title}</h2>
        {children}
        {complaints.value["missing"] !== undefined && (
          <p class="complaint" role="alert">
            {complaints.value["missing"].text}
          </p>
        )}
        {effects.length > 0 && (
          <div class="effects" role="status">
            <h3>{ours.effect}</h3>
            <ul>
              {effects.map((effect) => (
                <li key={effect}>{effect}</li>
              ))}
            </ul>
          </div>
        )}
        <Entry name="/reason" label={ours.reason} hint={ours.reasonHint} maxLength={500} complaint={complaints.value["/reason"]} />
        <OfficeProblem error={error.value} own={isStale(error.value) ? ours.stale : undefined} />
        <div class="buttons">
          <button type="submit" class="primary" disabled={busy.value}>
            {title}
          </button>
          <button type="button" onClick={onClose}>
            {ours.giveUp}
          </button>
        </div>
      </form>
    </dialog>
  );
}
