// Photos and weighing slips of a job: the list, and sending one. A file is named by its SHA-256, so sending it again changes nothing.

import { useSignal } from "@preact/signals";
import { type DocumentKind, documentUrl, type Job, putDocument } from "./api";
import { Done, PartnerProblem } from "./parts";
import { accepted, canHash, fileFault, sha256 } from "./rules";
import { words } from "./text";
import { moment } from "../format";
import { withSession } from "../session";
import { language } from "../text";
import { Icon } from "../ui/icon";
import { ComplaintText } from "../ui/problem";

const megabytes = (bytes: number) => `${(bytes / 1_048_576).toLocaleString(language.value, { maximumFractionDigits: 1, minimumFractionDigits: 1 })} MB`;
const size = (bytes: number) => (bytes < 104_858 ? `${Math.ceil(bytes / 1024)} kB` : megabytes(bytes));

export function Documents({ job, onDone, onRefused }: { job: Job; onDone: (job: Job) => void; onRefused: (error: unknown) => boolean }) {
  const ours = words.value.documents;
  const documents = job.documents ?? [];
  return (
    <section class="panel" aria-labelledby="documents-title">
      <h2 id="documents-title">{ours.title}</h2>
      {documents.length === 0 ? (
        <p class="hint">{ours.none}</p>
      ) : (
        <ul class="documents">
          {documents.map((each) => (
            <li key={each.sha256}>
              <Icon name="file" />
              <a href={documentUrl(job.order_id, each.sha256)} data-native download>
                {ours.kinds[each.kind]}
              </a>
              <span class="hint">
                {moment(each.at, language.value)} · {size(each.size)}
              </span>
            </li>
          ))}
        </ul>
      )}
      {canHash() ? (
        <Sender job={job} onDone={onDone} onRefused={onRefused} />
      ) : (
        <p class="note">
          <Icon name="alert" />
          {ours.insecure}
        </p>
      )}
    </section>
  );
}

function Sender({ job, onDone, onRefused }: { job: Job; onDone: (job: Job) => void; onRefused: (error: unknown) => boolean }) {
  const ours = words.value.documents;
  const kind = useSignal<DocumentKind>(job.state === "collected" ? "slip" : "photo");
  const busy = useSignal(false);
  const fault = useSignal<keyof typeof ours.faults | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const unreadable = useSignal(false);
  const sent = useSignal("");

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const input = form.elements.namedItem("file") as HTMLInputElement;
    const file = input.files?.[0];
    error.value = undefined;
    unreadable.value = false;
    sent.value = "";
    fault.value = file === undefined ? "none" : fileFault(kind.value, file);
    if (file === undefined || fault.value !== undefined) return input.focus();
    busy.value = true;
    try {
      const name = await sha256(file).catch(() => undefined);
      if (name === undefined) {
        unreadable.value = true;
        return;
      }
      onDone(await withSession(() => putDocument(job.order_id, name, kind.value, file)));
      sent.value = file.name;
      form.reset();
    } catch (cause) {
      if (!onRefused(cause)) error.value = cause;
    } finally {
      busy.value = false;
    }
  };

  const complaint = fault.value === undefined ? undefined : { text: ours.faults[fault.value] };
  return (
    <form class="form sender" noValidate onSubmit={submit}>
      <fieldset>
        <legend class="label">{ours.kind}</legend>
        <div class="switch">
          {(["photo", "slip"] as const).map((each) => (
            <label key={each}>
              <input type="radio" name="kind" value={each} checked={kind.value === each} onChange={() => ((kind.value = each), (fault.value = undefined))} />
              <span>{ours.kinds[each]}</span>
            </label>
          ))}
        </div>
        <div class="field">
          <label for="document-file">{ours.file}</label>
          <p class="hint" id="document-hint">
            {ours.fileHint[kind.value]}
          </p>
          <input
            type="file" id="document-file" name="file" accept={accepted(kind.value)} aria-invalid={complaint !== undefined}
            aria-describedby={complaint === undefined ? "document-hint" : "document-hint document-complaint"} onChange={() => (fault.value = undefined)}
          />
          <ComplaintText id="document-complaint" complaint={complaint} />
        </div>
      </fieldset>
      {unreadable.value && (
        <div class="problem" role="alert">
          <Icon name="alert" />
          <div>
            <p class="problem-title">{ours.unreadable.title}</p>
            <p>{ours.unreadable.todo}</p>
          </div>
        </div>
      )}
      <PartnerProblem error={error.value} />
      {sent.value !== "" && <Done onClose={() => (sent.value = "")}>{ours.sent(sent.value)}</Done>}
      <button type="submit" disabled={busy.value}>
        {busy.value ? ours.sending : ours.send}
      </button>
    </form>
  );
}
