// The credit notes: what the partner is paid for its jobs, and objecting while there is time.

import { useSignal } from "@preact/signals";
import { type CreditNote, getCreditNotes, objectTo } from "./api";
import { complaintsIn, Done, Empty, LineField, LoadProblem, PartnerProblem, statusOf } from "./parts";
import { jobPath } from "./places";
import { usePolled } from "./poll";
import { objectionUntil, today } from "./rules";
import { words } from "./text";
import { day, money } from "../format";
import { withSession } from "../session";
import { keepLanguage, language } from "../text";
import { checkForm, focusFirstComplaint } from "../ui/field";
import type { Complaints } from "../ui/problem";
import { Skeleton } from "../ui/skeleton";

export function CreditNotesPage() {
  const ours = words.value.notes;
  const notes = usePolled(getCreditNotes, 30_000);
  const said = useSignal("");
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{ours.title}</h1>
        <p>{ours.lead}</p>
      </div>
      <div class="told">
        {said.value !== "" && <Done onClose={() => (said.value = "")}>{said.value}</Done>}
        <LoadProblem polled={notes} />
      </div>
      {notes.value === undefined ? (
        notes.error === undefined && <Skeleton rows={3} kind="card" />
      ) : notes.value.length === 0 ? (
        <Empty title={ours.none}>
          <p class="hint">{ours.noneTodo}</p>
        </Empty>
      ) : (
        <ul class="notes">
          {notes.value.map((note) => (
            <li key={note.number} class="panel">
              <Note
                note={note}
                onObjected={() => {
                  said.value = ours.objected(note.number);
                  notes.refresh();
                }}
              />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Note({ note, onObjected }: { note: CreditNote; onObjected: () => void }) {
  const ours = words.value.notes;
  const lang = language.value;
  const euros = (cents: number) => money(cents, lang, note.total.currency);
  const until = objectionUntil(note.issued_on);
  const inTime = today(new Date()) <= until;
  return (
    <>
      <div class="note-head">
        <div>
          <h2>
            {note.number} <span class={note.state === "objected" ? "tag tag-late" : "tag"}>{ours.states[note.state] ?? note.state}</span>
          </h2>
          <p class="hint">
            {ours.issued(day(note.issued_on, lang))}
            {note.state === "issued" && `, ${ours.due(day(note.due_on, lang, "short"))}`}
          </p>
          <a class="note-job" href={keepLanguage(jobPath(note.order_id))}>
            {ours.job}
          </a>
        </div>
        <dl class="amounts">
          <dt>{ours.net}</dt>
          <dd>{euros(note.total.net_cents)}</dd>
          <dt>{ours.vat}</dt>
          <dd>{euros(note.total.vat_cents)}</dd>
          <dt>{ours.gross}</dt>
          <dd class="sum">{euros(note.total.gross_cents)}</dd>
        </dl>
      </div>
      {note.state === "issued" && (inTime ? <Objection note={note} until={until} onObjected={onObjected} /> : <p class="hint">{ours.closed(day(until, lang))}</p>)}
    </>
  );
}

function Objection({ note, until, onObjected }: { note: CreditNote; until: string; onObjected: () => void }) {
  const ours = words.value.notes;
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaints = useSignal<Complaints>({});
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    complaints.value = checkForm(form);
    error.value = undefined;
    if (Object.keys(complaints.value).length > 0) return focusFirstComplaint(form);
    busy.value = true;
    try {
      await withSession(() => objectTo(note.number, String(new FormData(form).get("/reason")).trim()));
      onObjected();
    } catch (cause) {
      complaints.value = complaintsIn(cause, ours.refused);
      error.value = cause;
      focusFirstComplaint(form);
    } finally {
      busy.value = false;
    }
  };
  return (
    <details class="more">
      <summary>
        {ours.object} <span class="hint">{ours.until(day(until, language.value, "short"))}</span>
      </summary>
      <form class="form" noValidate onSubmit={submit}>
        <p>{ours.warning}</p>
        <LineField id={`objection-${note.number}`} name="/reason" label={ours.reason} hint={ours.reasonHint} required minLength={5} maxLength={500} complaint={complaints.value["/reason"]} />
        {complaints.value["/reason"] === undefined && <PartnerProblem error={error.value} own={statusOf(error.value) === 409 ? ours.late : undefined} />}
        <button type="submit" disabled={busy.value}>
          {ours.submit}
        </button>
      </form>
    </details>
  );
}
