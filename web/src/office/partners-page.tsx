// All partners.

import { getPartners } from "./api";
import { ageWords, Away, State, useSource, useTitle } from "./parts";
import { partnerPath } from "./places";
import { words } from "./text";
import { keepLanguage } from "../text";
import { Skeleton } from "../ui/skeleton";

/** The end of the last day of a date, as a time; dates are Berlin's, and a few hours are not the point here. */
export const endOf = (date: string): string => `${date}T23:00:00Z`;

export function PartnersPage() {
  const ours = words.value.partners;
  useTitle(ours.title);
  const partners = useSource("", getPartners);
  return (
    <>
      <div class="hero hero-action">
        <h1 tabIndex={-1}>{ours.title}</h1>
        <a class="button primary" href={keepLanguage(partnerPath("neu"))}>
          {ours.fresh}
        </a>
      </div>
      <Away service="disposer" source={partners} />
      {partners.value === undefined && partners.error === undefined && <Skeleton rows={5} kind="line" />}
      <ul class="rows">
        {partners.value?.map(({ partner_id, name, postcode, city, active, certificates }) => {
          const ends = certificates.map(({ valid_until }) => valid_until ?? "").filter((date) => date !== "").sort()[0];
          const age = ends === undefined ? undefined : ageWords(endOf(ends));
          return (
            <li key={partner_id}>
              <a class="row" href={keepLanguage(partnerPath(partner_id))}>
                <strong>{name}</strong>
                <span>
                  {postcode} {city}
                </span>
                <State tone={active ? "good" : "warm"}>{active ? words.value.activePartner : words.value.idlePartner}</State>
                <span class="hint">
                  {partner_id}
                  {age !== undefined && ` · ${ours.certificates}: ${age.ahead ? ours.ends(age.text) : ours.ended}`}
                </span>
              </a>
            </li>
          );
        })}
      </ul>
    </>
  );
}
