// A partner: master data, area, rates, certificates with their ends, whether it gets offers, and who changed what. A change names the version
// that was read, so nobody overwrites what it has not seen.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getPartner, getTrail, type Partner, putPartner } from "./api";
import { ageWords, Away, complaintsIn, Done, Entry, isStale, nameOf, OfficeProblem, State, statusOf, useSource, useTitle, when } from "./parts";
import { endOf } from "./partners-page";
import { partnerPath } from "./places";
import { centsOf, typedCents } from "./rules";
import { words } from "./text";
import { wasteCode } from "../format";
import { loadCatalog, catalog } from "../order/state";
import { navigate } from "../route";
import { withSession } from "../session";
import { keepLanguage } from "../text";
import { type Complaints, ComplaintText } from "../ui/problem";
import { focusFirstComplaint } from "../ui/field";
import { Skeleton } from "../ui/skeleton";

const blank: Partner = {
  partner_id: "", version: 0, name: "", street: "", postcode: "", city: "", email: "", tax_id: "", radius_km: 50, waste_codes: [], auto_accept: false, active: false,
  rates: { trip_cents: 0, per_m3_cents: {}, per_tonne_over_cents: 0 }, certificates: [], drivers: [], vehicles: [],
};

export function PartnerPage({ id }: { id: string }) {
  const ours = words.value.partners;
  const fresh = id === "neu";
  const partner = useSource(id, (stop) => (fresh ? Promise.resolve(blank) : getPartner(id, stop)));
  const trail = useSource(id, (stop) => (fresh ? Promise.resolve([]) : getTrail("disposer", `partner/${id}`, stop)));
  const told = useSignal(false);
  useEffect(() => void loadCatalog(), []);
  const known = partner.value;
  useTitle(fresh ? ours.newTitle : (known?.name ?? ours.title));
  return (
    <>
      <div class="hero">
        <a class="back" href={keepLanguage("/office/partner")}>
          {ours.title}
        </a>
        <h1 tabIndex={-1}>{fresh ? ours.newTitle : (known?.name ?? ours.title)}</h1>
        {!fresh && known !== undefined && (
          <p>
            <code>{id}</code> <State tone={known.active ? "good" : "warm"}>{known.active ? words.value.activePartner : words.value.idlePartner}</State> {ours.version(known.version)}
          </p>
        )}
      </div>
      <div class="told">{told.value && <Done onClose={() => (told.value = false)}>{ours.saved}</Done>}</div>
      {known === undefined && partner.error === undefined && <Skeleton rows={5} kind="card" />}
      {statusOf(partner.error) === 404 ? <OfficeProblem error={partner.error} /> : <Away service="disposer" source={partner} />}
      {known !== undefined && (
        <PartnerForm
          key={known.version} partner={known} fresh={fresh} onReload={() => (partner.again(), trail.again())}
          onSaved={(saved) => {
            if (fresh) return navigate(keepLanguage(partnerPath(saved.partner_id)));
            told.value = true;
            partner.again();
            trail.again();
          }}
        />
      )}
      {!fresh && (
        <section class="panel trail" aria-labelledby="trail-title">
          <h2 id="trail-title">{ours.trail}</h2>
          {trail.value?.length === 0 && <p class="hint">{ours.noTrail}</p>}
          <ol class="events">
            {trail.value?.map(({ id: entry, at, actor, operation, reason, change }) => (
              <li key={entry}>
                <time dateTime={at}>{when(at)}</time>
                <div>
                  <p>{ours.operations[operation] ?? operation}</p>
                  {reason !== undefined && <p class="hint">{reason}</p>}
                  {change?.fields !== undefined && <p class="hint">{change.fields.join(", ")}</p>}
                  <p class="hint">
                    {words.value.roles[actor.role] ?? actor.role} {actor.user_id}
                  </p>
                </div>
              </li>
            ))}
          </ol>
        </section>
      )}
    </>
  );
}

function PartnerForm({ partner, fresh, onSaved, onReload }: { partner: Partner; fresh: boolean; onSaved: (saved: Partner) => void; onReload: () => void }) {
  const ours = words.value.partners;
  const certificates = useSignal(partner.certificates);
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaints = useSignal<Complaints>({});
  const found = complaints.value;
  const wastes = catalog.value?.wastes.filter(({ hazardous }) => !hazardous).map(({ code }) => code) ?? partner.waste_codes;
  const codes = [...wastes, ...partner.waste_codes.filter((code) => !wastes.includes(code))];

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const typed = (name: string) => String(data.get(name) ?? "").trim();
    const mine: Complaints = {};
    const cents = (name: string): number => {
      const amount = centsOf(typed(name));
      if (amount === undefined) mine[name] = { text: ours.amount };
      return amount ?? 0;
    };
    const taken = codes.filter((code) => data.has(`takes-${code}`));
    const next = {
      name: typed("/name"), street: typed("/street"), postcode: typed("/postcode"), city: typed("/city"), email: typed("/email"), tax_id: typed("/tax_id"),
      radius_km: Number(typed("/radius_km")) || 0, waste_codes: taken, auto_accept: data.has("/auto_accept"), active: data.has("/active"),
      rates: {
        trip_cents: cents("/rates/trip_cents"), per_tonne_over_cents: cents("/rates/per_tonne_over_cents"),
        per_m3_cents: Object.fromEntries(taken.map((code) => [code, cents(`/rates/per_m3_cents/${code}`)])),
      },
      certificates: certificates.value.map((_, at) => {
        const until = typed(`/certificates/${at}/valid_until`);
        return { kind: typed(`/certificates/${at}/kind`), number: typed(`/certificates/${at}/number`), ...(until === "" ? {} : { valid_until: until }) };
      }),
      drivers: partner.drivers, vehicles: partner.vehicles,
    };
    if (typed("/reason").length < 5) mine["/reason"] = { text: words.value.act.reasonRefused };
    complaints.value = mine;
    error.value = undefined;
    if (Object.keys(mine).length > 0) return focusFirstComplaint(form);
    busy.value = true;
    try {
      onSaved(await withSession(() => putPartner(fresh ? typed("id") : partner.partner_id, partner.version, next, typed("/reason"))));
    } catch (cause) {
      error.value = cause;
      complaints.value = complaintsIn(cause, "/partner");
      focusFirstComplaint(form);
    } finally {
      busy.value = false;
    }
  };

  const field = (name: string, label: string, value: string | number, more: object = {}) => <Entry name={name} label={label} defaultValue={String(value)} complaint={found[name]} {...more} />;
  const stale = isStale(error.value);
  return (
    <form class="form partner-form" noValidate onSubmit={submit}>
      <fieldset class="panel">
        <legend>{ours.master}</legend>
        <div class="pair">
          {fresh && <Entry name="id" label={ours.id} hint={ours.idHint} maxLength={40} complaint={found["id"]} />}
          {field("/name", ours.name, partner.name)}
          {field("/street", ours.street, partner.street)}
          {field("/postcode", ours.postcode, partner.postcode, { inputMode: "numeric" })}
          {field("/city", ours.city, partner.city)}
          {field("/email", ours.email, partner.email, { type: "email" })}
          {field("/tax_id", ours.taxId, partner.tax_id)}
        </div>
      </fieldset>
      <fieldset class="panel">
        <legend>{ours.area}</legend>
        <div class="pair">{field("/radius_km", ours.radius, partner.radius_km, { inputMode: "numeric" })}</div>
        <label class="check">
          <input type="checkbox" name="/active" defaultChecked={partner.active} /> {ours.active}
        </label>
        <ComplaintText id="active-complaint" complaint={found["/active"]} />
        <label class="check">
          <input type="checkbox" name="/auto_accept" defaultChecked={partner.auto_accept} /> {ours.autoAccept}
        </label>
        <p class="hint">{ours.people(partner.drivers.length, partner.vehicles.length)}</p>
      </fieldset>
      <fieldset class="panel">
        <legend>{ours.rates}</legend>
        <div class="pair">
          {field("/rates/trip_cents", ours.trip, typedCents(partner.rates.trip_cents), { inputMode: "decimal" })}
          {field("/rates/per_tonne_over_cents", ours.overWeight, typedCents(partner.rates.per_tonne_over_cents), { inputMode: "decimal" })}
        </div>
        <ComplaintText id="wastes-complaint" complaint={found["/waste_codes"] ?? found["/rates/per_m3_cents"]} />
        <p class="hint">{ours.perM3}</p>
        <ul class="wastes">
          {codes.map((code) => {
            const name = `/rates/per_m3_cents/${code}`;
            return (
              <li key={code}>
                <label class="check">
                  <input type="checkbox" name={`takes-${code}`} defaultChecked={partner.waste_codes.includes(code)} />
                  <span>
                    {nameOf(code)} <small class="hint">{wasteCode(code)}</small>
                  </span>
                </label>
                <div>
                  <input
                    type="text" inputMode="decimal" autoComplete="off" name={name} aria-label={ours.rateOf(nameOf(code))} aria-invalid={found[name] !== undefined}
                    defaultValue={partner.rates.per_m3_cents[code] === undefined ? "" : typedCents(partner.rates.per_m3_cents[code])}
                  />
                  <ComplaintText id={`rate-${code}`} complaint={found[name]} />
                </div>
              </li>
            );
          })}
        </ul>
      </fieldset>
      <fieldset class="panel">
        <legend>{ours.certificates}</legend>
        {certificates.value.map((certificate, at) => {
          const age = certificate.valid_until === undefined || certificate.valid_until === "" ? undefined : ageWords(endOf(certificate.valid_until));
          return (
            <div class="certificate" role="group" aria-label={ours.certificate(at + 1)} key={`${certificate.kind}-${certificate.number}-${at}`}>
              <div class="field">
                <label for={`kind-${at}`}>{ours.kind}</label>
                <select id={`kind-${at}`} name={`/certificates/${at}/kind`} defaultValue={certificate.kind}>
                  {Object.entries(ours.certificateKinds).map(([kind, name]) => (
                    <option key={kind} value={kind} selected={kind === certificate.kind}>
                      {name}
                    </option>
                  ))}
                </select>
              </div>
              {field(`/certificates/${at}/number`, ours.number, certificate.number)}
              {field(`/certificates/${at}/valid_until`, `${ours.validUntil} (${ours.unlimited})`, certificate.valid_until ?? "", { type: "date" })}
              <p>
                {age !== undefined && <State tone={age.ahead ? "" : "alarm"}>{age.ahead ? ours.ends(age.text) : ours.ended}</State>}
                <button type="button" class="quiet" onClick={() => (certificates.value = certificates.value.filter((_, other) => other !== at))}>
                  {ours.remove}
                </button>
              </p>
            </div>
          );
        })}
        <div>
          <button type="button" onClick={() => (certificates.value = [...certificates.value, { kind: "53", number: "" }])}>
            {ours.addCertificate}
          </button>
        </div>
      </fieldset>
      <div class="panel">
        <Entry name="/reason" label={words.value.act.reason} hint={words.value.act.reasonKept} maxLength={500} complaint={found["/reason"]} />
        <OfficeProblem error={error.value} own={stale ? ours.stale : undefined}>
          {stale && (
            <button type="button" onClick={onReload}>
              {ours.reload}
            </button>
          )}
        </OfficeProblem>
        <div class="buttons">
          <button type="submit" class="primary" disabled={busy.value}>
            {ours.save}
          </button>
        </div>
      </div>
    </form>
  );
}
