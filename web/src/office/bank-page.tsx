// Money that came in: a statement is read in, and what nobody knows the invoice of is assigned by hand.

import { useSignal } from "@preact/signals";
import { assignLine, getLines, postLine, type StatementLine } from "./api";
import { Away, complaintsIn, Done, Entry, euros, OfficeProblem, useSource, useTitle } from "./parts";
import { type BankLine, statementLines } from "./rules";
import { words } from "./text";
import { day } from "../format";
import { withSession } from "../session";
import { language } from "../text";
import type { Complaints } from "../ui/problem";
import { Skeleton } from "../ui/skeleton";

export function BankPage() {
  const ours = words.value.bank;
  useTitle(ours.title);
  const lines = useSource("", (stop) => getLines(true, stop));
  const told = useSignal("");
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{ours.title}</h1>
      </div>
      <div class="told">{told.value !== "" && <Done onClose={() => (told.value = "")}>{told.value}</Done>}</div>
      <div class="order">
        <div class="column">
          <section class="panel" aria-labelledby="unassigned-title">
            <h2 id="unassigned-title">{ours.unassigned}</h2>
            <Away service="payment" source={lines} />
            {lines.value === undefined && lines.error === undefined && <Skeleton rows={3} kind="line" />}
            {lines.value?.length === 0 && <p class="hint">{ours.none}</p>}
            <ul class="receipts">
              {lines.value?.map((line) => (
                <Receipt key={line.id} line={line} onAssigned={(invoice) => ((told.value = ours.assigned(invoice)), lines.again())} />
              ))}
            </ul>
          </section>
        </div>
        <div class="column">
          <Import onBooked={(text) => ((told.value = text), lines.again())} onSome={() => lines.again()} />
        </div>
      </div>
    </>
  );
}

function Receipt({ line, onAssigned }: { line: StatementLine; onAssigned: (invoice: string) => void }) {
  const ours = words.value.bank;
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaints = useSignal<Complaints>({});
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const invoice = String(new FormData(event.currentTarget as HTMLFormElement).get(`/invoice-${line.id}`) ?? "").trim().toUpperCase();
    error.value = undefined;
    busy.value = true;
    try {
      const { invoice: number } = await withSession(() => assignLine(line.id, invoice));
      onAssigned(number ?? invoice);
    } catch (cause) {
      complaints.value = complaintsIn(cause);
      error.value = Object.keys(complaints.value).length > 0 ? undefined : cause;
    } finally {
      busy.value = false;
    }
  };
  return (
    <li>
      <p class="receipt-head">
        <strong>{euros(line.amount_cents)}</strong>
        <span>
          {ours.from} {line.remitter}
        </span>
        <span class="hint">{day(line.booked_on, language.value, "numeric")}</span>
      </p>
      <p class="hint">{line.reference}</p>
      <form class="assign" noValidate onSubmit={submit}>
        <Entry name={`/invoice-${line.id}`} label={ours.invoice} placeholder="R-2026-000001" complaint={complaints.value["/invoice"] === undefined ? undefined : { text: ours.unknownInvoice }} />
        <button type="submit" disabled={busy.value}>
          {ours.assign}
        </button>
      </form>
      <OfficeProblem error={error.value} />
    </li>
  );
}

function Import({ onBooked, onSome }: { onBooked: (text: string) => void; onSome: () => void }) {
  const ours = words.value.bank;
  const read = useSignal<{ lines: BankLine[]; mistakes: { line: number; column: string }[] } | undefined>(undefined);
  const busy = useSignal(false);
  const round = useSignal(0); // another one empties the field
  const stopped = useSignal<{ id: string; count: number; error: unknown } | undefined>(undefined);
  const choose = async (event: Event) => {
    const file = (event.currentTarget as HTMLInputElement).files?.[0];
    stopped.value = undefined;
    read.value = file === undefined ? undefined : statementLines(await file.text());
  };
  const book = async () => {
    busy.value = true;
    stopped.value = undefined;
    let count = 0;
    let assigned = 0;
    for (const line of read.value?.lines ?? []) {
      try {
        const booked = await withSession(() => postLine(line));
        count += 1;
        if (booked.state === "assigned") assigned += 1;
      } catch (error) {
        stopped.value = { id: line.id, count, error };
        break;
      }
    }
    busy.value = false;
    if (stopped.value !== undefined) return onSome();
    read.value = undefined;
    round.value += 1;
    onBooked(ours.booked(count, assigned));
  };
  const mistakes = read.value?.mistakes ?? [];
  return (
    <section class="panel" aria-labelledby="import-title">
      <h2 id="import-title">{ours.import}</h2>
      <div class="field">
        <label for="statement">{ours.file}</label>
        <p class="hint" id="statement-hint">
          {ours.importHint}
        </p>
        <input key={round.value} type="file" id="statement" accept=".csv,text/csv" aria-describedby="statement-hint" onChange={(event) => void choose(event)} />
      </div>
      <div role="status">
        {mistakes.length > 0 && (
          <>
            <p class="complaint">{ours.mistakes}</p>
            <ul>
              {mistakes.slice(0, 50).map(({ line, column }) => (
                <li key={line}>{ours.mistake(line, column)}</li>
              ))}
            </ul>
          </>
        )}
        {read.value !== undefined && mistakes.length === 0 && <p>{ours.ready(read.value.lines.length)}</p>}
        {stopped.value !== undefined && <p class="complaint">{ours.stopped(stopped.value.id, stopped.value.count)}</p>}
      </div>
      <OfficeProblem error={stopped.value?.error} />
      {read.value !== undefined && mistakes.length === 0 && (
        <button type="button" class="primary" disabled={busy.value} onClick={() => void book()}>
          {ours.book}
        </button>
      )}
    </section>
  );
}
