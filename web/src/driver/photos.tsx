// Photos of a job: taking one, those that wait as small pictures, and how many have arrived.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { canHash } from "../partner/rules";
import { Icon } from "../ui/icon";
import type { Job } from "./api";
import type { Action } from "./outbox";
import { mine, now, storedFile, takeBack, takePhoto } from "./state";
import { words } from "./text";

export function Photos({ job, kind, id = kind }: { job: Job; kind: "photo" | "slip"; id?: string }) {
  const ours = words.value.photo;
  const busy = useSignal(false);
  const fault = useSignal(false);
  const kept = mine.value.filter((action) => action.orderId === job.order_id && action.what === kind);
  const arrived = (job.documents ?? []).filter((each) => each.kind === kind).length;
  const take = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    if (file === undefined) return;
    busy.value = true;
    fault.value = false;
    try {
      await takePhoto(job, kind, file);
    } catch {
      fault.value = true;
    } finally {
      busy.value = false;
      input.value = "";
    }
  };
  if (!canHash()) return <p class="note">{ours.insecure}</p>;
  const inputId = `take-${id}`;
  return (
    <div class="photos">
      <input
        class="unseen" type="file" id={inputId} accept="image/*" capture="environment" disabled={busy.value} onChange={(event) => void take(event.currentTarget)}
        {...(fault.value ? { "aria-invalid": true, "aria-describedby": `${inputId}-complaint` } : {})}
      />
      <label class="button" for={inputId}>
        <Icon name={kind === "slip" ? "paper" : "camera"} />
        {busy.value ? ours.busy : ours[kind]}
      </label>
      {fault.value && (
        <p class="complaint" id={`${inputId}-complaint`}>
          {ours.unreadable}
        </p>
      )}
      {(kept.length > 0 || arrived > 0) && (
        <ul class="thumbs">
          {kept.map((action) => (
            <Thumb key={action.key} action={action} />
          ))}
          {arrived > 0 && (
            <li class="arrived">
              <Icon name="check" /> {ours.sent(arrived)}
            </li>
          )}
        </ul>
      )}
    </div>
  );
}

function Thumb({ action }: { action: Action }) {
  const ours = words.value.photo;
  const source = useSignal<string | undefined>(undefined);
  useEffect(() => {
    let made: string | undefined;
    let gone = false;
    void storedFile(action.key).then((file) => {
      if (file === undefined || gone) return;
      source.value = made = URL.createObjectURL(new Blob([file.bytes], { type: file.type }));
    });
    return () => {
      gone = true;
      if (made !== undefined) URL.revokeObjectURL(made);
    };
  }, []);
  const undoable = !action.underWay && action.heldUntil > now.value;
  return (
    <li>
      {source.value !== undefined && <img src={source.value} alt={ours.pending} width="96" height="96" />}
      {undoable && (
        <button type="button" aria-label={ours.remove} onClick={() => void takeBack(action.id)}>
          <Icon name="cross" />
        </button>
      )}
    </li>
  );
}
