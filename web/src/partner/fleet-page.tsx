// The partner's own affairs: drivers with their invitations, vehicles, containers a day, certificates.

import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { complaintsIn, Done, LoadProblem, PartnerProblem, statusOf } from "./parts";
import { type DriverEntry, getPartner, inviteDriver, type Partner, profileOf, putProfile, type Profile, type Vehicle } from "./planning-api";
import { daysUntil, expiry, newDriverId } from "./planning-rules";
import { planning } from "./planning-text";
import { usePolled } from "./poll";
import { today } from "./rules";
import { day } from "../format";
import { withSession } from "../session";
import { keepLanguage, language } from "../text";
import { checkForm, Field, focusFirstComplaint } from "../ui/field";
import { Icon } from "../ui/icon";
import type { Complaints } from "../ui/problem";
import { Skeleton } from "../ui/skeleton";

const sizes = [3, 5, 7, 10];

/** Stores a change of the profile; complaints are of the part of the form that asked. */
type Save = (change: (profile: Profile) => Profile, complaints?: Signal<Complaints>) => Promise<boolean>;

export function FleetPage() {
  const ours = planning.value.fleet;
  const partner = usePolled(getPartner, 60_000);
  const busy = useSignal(false);
  const saved = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const known = partner.value;

  const save: Save = async (change, complaints) => {
    if (known === undefined || busy.value) return false;
    busy.value = true;
    saved.value = false;
    error.value = undefined;
    try {
      partner.refresh(await withSession(() => putProfile(known, change(profileOf(known)))));
      saved.value = true;
      return true;
    } catch (cause) {
      error.value = cause;
      // "/drivers/3/phone" belongs to the field "/phone" of the form that adds.
      if (complaints !== undefined) complaints.value = Object.fromEntries(Object.entries(complaintsIn(cause, {})).map(([at, said]) => [at.replace(/^.*\//, "/"), said]));
      if (statusOf(cause) === 409) partner.refresh();
      return false;
    } finally {
      busy.value = false;
    }
  };

  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{ours.title}</h1>
        {known !== undefined && <p>{known.name}</p>}
      </div>
      <div class="told">
        {saved.value && <Done onClose={() => (saved.value = false)}>{ours.saved}</Done>}
        <PartnerProblem error={error.value} own={statusOf(error.value) === 409 ? ours.changed : undefined} />
        <LoadProblem polled={partner} />
      </div>
      {known === undefined ? (
        partner.error === undefined && <Skeleton rows={4} kind="card" />
      ) : (
        <div class="fleet">
          <Drivers partner={known} busy={busy.value} save={save} />
          <Vehicles partner={known} busy={busy.value} save={save} />
          <Capacity key={known.version} partner={known} busy={busy.value} save={save} />
          <Certificates partner={known} />
        </div>
      )}
    </>
  );
}

interface Props {
  partner: Partner;
  busy: boolean;
  save: Save;
}

function Section({ id, title, children }: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

/** A form that adds one entry; it is empty again once the entry is stored. */
function Adding({ label, busy, onAdd, children }: { label: string; busy: boolean; onAdd: (typed: (name: string) => string, form: HTMLFormElement) => Promise<boolean>; children: ComponentChildren }) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    if (await onAdd((name) => String(data.get(name) ?? "").trim(), form)) form.reset();
    else focusFirstComplaint(form);
  };
  return (
    <details class="more">
      <summary>{label}</summary>
      <form class="form" noValidate onSubmit={submit}>
        {children}
        <button type="submit" disabled={busy}>
          {label}
        </button>
      </form>
    </details>
  );
}

function Drivers({ partner, busy, save }: Props) {
  const ours = planning.value.fleet;
  const complaints = useSignal<Complaints>({});
  const add = async (typed: (name: string) => string, form: HTMLFormElement) => {
    complaints.value = checkForm(form);
    if (Object.keys(complaints.value).length > 0) return false;
    const [name, phone] = [typed("/name"), typed("/phone")];
    const entry: DriverEntry = { id: newDriverId(partner.drivers), name, ...(phone === "" ? {} : { phone }) };
    return save((profile) => ({ ...profile, drivers: [...profile.drivers, entry] }), complaints);
  };
  return (
    <Section id="drivers" title={ours.drivers}>
      {partner.drivers.length === 0 && <p class="hint">{ours.noDrivers}</p>}
      <ul class="entries">
        {partner.drivers.map((driver) => (
          <Driver key={driver.id} driver={driver} busy={busy} onRemove={() => void save((profile) => ({ ...profile, drivers: profile.drivers.filter(({ id }) => id !== driver.id) }))} />
        ))}
      </ul>
      <Adding label={ours.addDriver} busy={busy} onAdd={add}>
        <Field name="/name" label={ours.name} type="text" autoComplete="off" required minLength={2} maxLength={100} complaint={complaints.value["/name"]} />
        <Field name="/phone" label={ours.phone} type="text" autoComplete="off" maxLength={30} complaint={complaints.value["/phone"]} />
      </Adding>
    </Section>
  );
}

function Driver({ driver, busy, onRemove }: { driver: DriverEntry; busy: boolean; onRemove: () => void }) {
  const ours = planning.value.fleet;
  const invitation = useSignal<{ link: string; until: string } | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const copied = useSignal(false);
  const invite = async () => {
    error.value = undefined;
    copied.value = false;
    try {
      const { invite: code, until } = await withSession(() => inviteDriver(driver.id));
      // Behind the #: no server gets it, so none can log it.
      invitation.value = { link: `${location.origin}/fahrer#einladung=${code}`, until };
    } catch (cause) {
      error.value = cause;
    }
  };
  const copy = async (link: string) => {
    await navigator.clipboard.writeText(link);
    copied.value = true;
  };
  return (
    <li>
      <div class="entry-row">
        <div>
          <strong>{driver.name}</strong> <span class="tag">{driver.id}</span>
          {driver.phone !== undefined && (
            <p>
              <a class="map" href={`tel:${driver.phone.replaceAll(/[^\d+]/g, "")}`} data-native>
                {driver.phone}
              </a>
            </p>
          )}
        </div>
        <button type="button" onClick={() => void invite()} aria-label={`${ours.invite}: ${driver.name}`}>
          {ours.invite}
        </button>
        <button type="button" class="quiet" disabled={busy} aria-label={`${ours.remove}: ${driver.name}`} onClick={() => confirm(ours.sure(driver.name)) && onRemove()}>
          {ours.remove}
        </button>
      </div>
      <PartnerProblem error={error.value} />
      {invitation.value !== undefined && (
        <div class="invitation" role="status">
          <p>{ours.inviteTodo(day(invitation.value.until.slice(0, 10), language.value))}</p>
          <input type="text" readOnly value={invitation.value.link} aria-label={`${ours.inviting}: ${driver.name}`} onFocus={(event) => event.currentTarget.select()} />
          <div class="buttons">
            <button type="button" onClick={() => void copy(invitation.value?.link ?? "")}>
              {copied.value ? ours.copied : ours.copy}
            </button>
            {"share" in navigator && (
              <button type="button" onClick={() => void navigator.share({ url: invitation.value?.link ?? "" }).catch(() => undefined)}>
                {ours.share}
              </button>
            )}
          </div>
        </div>
      )}
    </li>
  );
}

function Vehicles({ partner, busy, save }: Props) {
  const ours = planning.value.fleet;
  const complaints = useSignal<Complaints>({});
  const add = async (typed: (name: string) => string, form: HTMLFormElement) => {
    complaints.value = checkForm(form);
    if (Object.keys(complaints.value).length > 0) return false;
    const entry: Vehicle = { plate: typed("/plate"), kind: typed("/kind") === "roll-off" ? "roll-off" : "skip" };
    return save((profile) => ({ ...profile, vehicles: [...profile.vehicles, entry] }), complaints);
  };
  return (
    <Section id="vehicles" title={ours.vehicles}>
      {partner.vehicles.length === 0 && <p class="hint">{ours.noVehicles}</p>}
      <ul class="entries">
        {partner.vehicles.map(({ plate, kind }) => (
          <li key={plate} class="entry-row">
            <div>
              <strong>{plate}</strong> <span class="tag">{ours.kinds[kind]}</span>
            </div>
            <button type="button" class="quiet" disabled={busy} aria-label={`${ours.remove}: ${plate}`} onClick={() => confirm(ours.sure(plate)) && void save((profile) => ({ ...profile, vehicles: profile.vehicles.filter((each) => each.plate !== plate) }))}>
              {ours.remove}
            </button>
          </li>
        ))}
      </ul>
      <Adding label={ours.addVehicle} busy={busy} onAdd={add}>
        <Field name="/plate" label={ours.plate} hint={ours.plateHint} type="text" autoComplete="off" required maxLength={20} complaint={complaints.value["/plate"]} />
        <div class="field">
          <label for="vehicle-kind">{ours.kind}</label>
          <select id="vehicle-kind" name="/kind">
            <option value="skip">{ours.kinds["skip"]}</option>
            <option value="roll-off">{ours.kinds["roll-off"]}</option>
          </select>
        </div>
      </Adding>
    </Section>
  );
}

function Capacity({ partner, busy, save }: Props) {
  const ours = planning.value.fleet;
  const complaints = useSignal<Complaints>({});
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const found: Complaints = {};
    const capacity = sizes.flatMap((size_m3) => {
      const typed = String(data.get(`/size-${size_m3}`) ?? "").trim();
      if (typed === "") return [];
      if (!/^\d{1,4}$/.test(typed) || Number(typed) > 1000) found[`/size-${size_m3}`] = { text: ours.number };
      return [{ size_m3, per_day: Number(typed) }];
    });
    complaints.value = found;
    if (Object.keys(found).length > 0) return focusFirstComplaint(form);
    void save((profile) => ({ ...profile, capacity }));
  };
  return (
    <Section id="capacity" title={ours.capacity}>
      <p class="hint">{ours.capacityLead}</p>
      <form class="form" noValidate onSubmit={submit}>
        <div class="sizes">
          {sizes.map((size) => (
            <Field
              key={size} name={`/size-${size}`} label={ours.size(size)} type="text" inputMode="numeric" autoComplete="off" defaultValue={String(partner.capacity?.find((each) => each.size_m3 === size)?.per_day ?? "")}
              complaint={complaints.value[`/size-${size}`]}
            />
          ))}
        </div>
        <button type="submit" disabled={busy}>
          {ours.save}
        </button>
      </form>
    </Section>
  );
}

function Certificates({ partner }: { partner: Partner }) {
  const ours = planning.value.fleet;
  const now = today(new Date());
  return (
    <Section id="certificates" title={ours.certificates}>
      {partner.certificates.length === 0 && <p class="hint">{ours.noCertificates}</p>}
      <ul class="entries">
        {partner.certificates.map((certificate) => {
          const state = expiry(certificate, now);
          const { kind, number, valid_until: until } = certificate;
          return (
            <li key={`${kind}-${number}`} class={`certificate certificate-${state}`}>
              <Icon name={state === "fine" ? "check" : "alert"} />
              <div>
                <strong>{ours.certificateKinds[kind] ?? kind}</strong> <span class="hint">{number}</span>
                <p>
                  {until === undefined ? ours.endless : ours.until(day(until, language.value, "numeric"))}
                  {until !== undefined && state !== "fine" && <span class="tag tag-late">{state === "over" ? ours.over : ours.days(daysUntil(until, now))}</span>}
                </p>
              </div>
            </li>
          );
        })}
      </ul>
      <p class="hint">{ours.certificateTodo}</p>
    </Section>
  );
}

/** Where the company's page is. */
export const fleetPath = () => keepLanguage("/partner/betrieb");
