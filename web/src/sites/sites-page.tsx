// The customer's sites: list, make, change, delete, the links for site managers, and the standing orders beneath.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { ListProblem } from "../account/list-problem";
import { useAnswer } from "../account/loaded";
import { Intent } from "../http";
import { draft } from "../order/checkout-state";
import { orderLink } from "../order/selection";
import { withSession } from "../session";
import { keepLanguage, language } from "../text";
import { Field } from "../ui/field";
import { Icon } from "../ui/icon";
import { Skeleton } from "../ui/skeleton";
import { changeSite, deleteSite, getSites, makeSite, type Place, type Site } from "./api";
import { Links } from "./links";
import { ChangeProblem, TextArea, Tick, useForm } from "./parts";
import { StandingOrders } from "./standing";
import { words as texts } from "./text";

export function SitesPage() {
  const words = texts.value;
  const { answer: sites, error, again } = useAnswer(getSites);
  return (
    <>
      <p class="way-back">
        <a href={keepLanguage("/konto")}>{words.back}</a>
      </p>
      <div class="hero">
        <h1 tabIndex={-1}>{words.title}</h1>
      </div>
      <div class="account">
        <section aria-labelledby="sites-title">
          <h2 id="sites-title">{words.sites}</h2>
          <ListProblem error={error} again={again} />
          {sites === undefined ? (
            error === undefined && <Skeleton rows={2} kind="card" />
          ) : (
            <>
              {sites.length === 0 && <p class="hint">{words.noSites}</p>}
              {sites.map((site) => (
                <SiteCard key={`${site.site_id} ${site.version}`} site={site} onChange={again} />
              ))}
              <MakeSite key={sites.length} open={sites.length === 0} onMade={again} />
            </>
          )}
        </section>
        {sites !== undefined && <StandingOrders sites={sites} />}
      </div>
    </>
  );
}

function SiteCard({ site, onChange }: { site: Site; onChange: () => void }) {
  const words = texts.value;
  const error = useSignal<unknown>(undefined);
  const remove = async () => {
    error.value = undefined;
    try {
      await withSession(() => deleteSite(site));
      onChange();
    } catch (cause) {
      error.value = cause;
    }
  };
  return (
    <article class="panel site" aria-label={site.name}>
      <header>
        <h3>{site.name}</h3>
        {!site.active && <span class="badge badge-over">{words.inactive}</span>}
      </header>
      <p>
        {site.street}, {site.postcode} {site.city}
      </p>
      {site.access !== "" && <p class="hint keep-lines">{site.access}</p>}
      {(site.contact !== "" || site.phone !== "") && <p class="hint">{[site.contact, site.phone].filter((part) => part !== "").join(", ")}</p>}
      {site.active && (
        <p class="buttons">
          <a class="button" href={orderLink({ plz: site.postcode, abfall: "", groesse: undefined, datum: "" }, language.value)} onClick={() => takeSite(site)}>
            {words.order}
          </a>
          <a class="button quiet" href={`${keepLanguage("/konto")}${language.value === "de" ? "?" : "&"}baustelle=${site.site_id}`}>
            {words.ordersOf}
          </a>
        </p>
      )}
      <Links siteId={site.site_id} />
      <details>
        <summary>{words.edit}</summary>
        <PlaceForm place={site} save={async (place) => (await changeSite(site, place), onChange())} />
      </details>
      <details>
        <summary>{words.remove}</summary>
        <p class="hint">{words.removeHint}</p>
        <button type="button" onClick={remove}>
          {words.removeSubmit}
        </button>
        <ChangeProblem error={error.value} />
      </details>
    </article>
  );
}

/** The form of the order page begins with the site. */
function takeSite({ site_id, street, city }: Site): void {
  draft.value = { ...draft.peek(), site: site_id, street, city };
}

function MakeSite({ open, onMade }: { open: boolean; onMade: () => void }) {
  const words = texts.value;
  const intent = useRef(new Intent());
  const empty: Place = { name: "", street: "", postcode: "", city: "", access: "", contact: "", phone: "", active: true };
  return (
    <details class="panel site" open={open}>
      <summary class="with-icon">
        <Icon name="skip" />
        {words.makeSite}
      </summary>
      <PlaceForm place={empty} save={async (place) => (await makeSite(intent.current, place), onMade())} />
    </details>
  );
}

function PlaceForm({ place, save }: { place: Place; save: (place: Place) => Promise<void> }) {
  const words = texts.value;
  const { busy, error, complaints, submit } = useForm((data) => {
    const text = (name: string) => String(data.get(name) ?? "");
    return save({
      name: text("/name"), street: text("/street"), postcode: text("/postcode"), city: text("/city"), access: text("/access").replaceAll("\r\n", "\n"),
      contact: text("/contact"), phone: text("/phone"), active: data.has("/active"),
    });
  });
  return (
    <form class="form" noValidate onSubmit={submit}>
      <Field name="/name" label={words.name} type="text" required minLength={2} maxLength={100} defaultValue={place.name} complaint={complaints["/name"]} />
      <Field name="/street" label={words.street} type="text" required minLength={2} maxLength={100} defaultValue={place.street} complaint={complaints["/street"]} />
      <div class="pair">
        <Field name="/postcode" label={words.postcode} type="text" inputMode="numeric" required pattern="[0-9]{5}" maxLength={5} defaultValue={place.postcode} complaint={complaints["/postcode"]} />
        <Field name="/city" label={words.city} type="text" required minLength={2} maxLength={100} defaultValue={place.city} complaint={complaints["/city"]} />
      </div>
      <TextArea name="/access" label={words.access} hint={words.accessHint} value={place.access} maxLength={500} complaint={complaints["/access"]} />
      <div class="pair">
        <Field name="/contact" label={words.contact} type="text" maxLength={100} defaultValue={place.contact} complaint={complaints["/contact"]} />
        <Field name="/phone" label={words.phone} type="text" maxLength={30} defaultValue={place.phone} complaint={complaints["/phone"]} />
      </div>
      <Tick name="/active" label={words.active} checked={place.active} />
      <ChangeProblem error={error} />
      <button type="submit" class="primary" disabled={busy}>
        {words.save}
      </button>
    </form>
  );
}
