// In the last step: one of the customer's sites instead of typing its address. Not there for whoever has none.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { navigate } from "../route";
import { user } from "../session";
import { getSites, type Site } from "../sites/api";
import { text } from "../text";
import { type Complaint, ComplaintText } from "../ui/problem";
import { draft } from "./checkout-state";
import { choose, selection } from "./state";

export function SiteChoice({ complaint }: { complaint: Complaint | undefined }) {
  const words = text.value.checkout;
  const sites = useSignal<Site[]>([]);
  const customer = user.value?.role === "customer" ? user.value.user_id : "";
  useEffect(() => {
    sites.value = [];
    // Without the service that knows the sites an address is typed, as ever.
    if (customer !== "") getSites().then((found) => (sites.value = found.filter((site) => site.active)), () => undefined);
  }, [customer]);

  const { plz } = selection.value;
  const chosen = sites.value.find((site) => site.site_id === draft.value.site);
  useEffect(() => {
    if (chosen !== undefined && chosen.postcode !== plz) draft.value = { ...draft.peek(), site: "" }; // another place was chosen since
  }, [chosen, plz]);

  if (sites.value.length === 0) return null;
  const take = (id: string) => {
    const site = sites.value.find((each) => each.site_id === id);
    if (site !== undefined && site.postcode !== plz) navigate(choose({ plz: site.postcode }), true);
    draft.value = { ...draft.peek(), site: id, ...(site === undefined ? {} : { street: site.street, city: site.city }) };
  };
  return (
    <div class="field">
      <label for="site-choice">{words.site}</label>
      <select id="site-choice" name="/site_id" value={draft.value.site} aria-invalid={complaint !== undefined} aria-describedby="site-complaint" onChange={(event) => take(event.currentTarget.value)}>
        <option value="">{words.otherAddress}</option>
        {sites.value.map((site) => (
          <option key={site.site_id} value={site.site_id} selected={site.site_id === draft.value.site}>
            {site.name}, {site.postcode} {site.city}
          </option>
        ))}
      </select>
      <ComplaintText id="site-complaint" complaint={complaint} />
    </div>
  );
}
