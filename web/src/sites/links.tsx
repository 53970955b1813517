// The links of a site for people without an account: made, copied, revoked. Asked for when they are opened.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { day } from "../format";
import { Intent } from "../http";
import { withSession } from "../session";
import { language } from "../text";
import { Field } from "../ui/field";
import { ProblemAlert } from "../ui/problem";
import { getLinks, type Link, linkAddress, makeLink, revokeLink } from "./api";
import { ChangeProblem, Select, useForm } from "./parts";
import { words as texts } from "./text";

const lengths = [7, 30, 90, 365];

export function Links({ siteId }: { siteId: string }) {
  const words = texts.value;
  const links = useSignal<Link[] | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const round = useSignal(0);
  const intent = useRef(new Intent());

  const run = async (change: () => Promise<unknown>) => {
    error.value = undefined;
    try {
      await withSession(change);
      links.value = await withSession(() => getLinks(siteId));
    } catch (cause) {
      error.value = cause;
    }
  };
  const form = useForm(async (data) => {
    await makeLink(intent.current, siteId, { label: String(data.get("/label")), days: Number(data.get("/days")) });
    intent.current = new Intent(); // another link for the same person is another intent
    links.value = await getLinks(siteId);
    round.value += 1;
  });
  return (
    <details onToggle={(event) => event.currentTarget.open && links.value === undefined && void run(async () => undefined)}>
      <summary>{words.links}</summary>
      <p class="hint">{words.linksHint}</p>
      <ul class="rows">
        {links.value?.map((link) => (
          <LinkRow key={link.number} link={link} onRevoke={() => run(() => revokeLink(siteId, link.number))} />
        ))}
      </ul>
      <ProblemAlert error={error.value} />
      <form class="form" noValidate onSubmit={form.submit} key={round.value}>
        <div class="pair">
          <Field name="/label" label={words.label} type="text" required minLength={2} maxLength={60} complaint={form.complaints["/label"]} />
          <Select name="/days" label={words.days} value="90" options={lengths.map((days) => [String(days), words.daysOf(days)])} />
        </div>
        <ChangeProblem error={form.error} />
        <button type="submit" disabled={form.busy}>
          {words.makeLink}
        </button>
      </form>
    </details>
  );
}

function LinkRow({ link, onRevoke }: { link: Link; onRevoke: () => void }) {
  const words = texts.value;
  const copied = useSignal(false);
  const address = linkAddress(link.code);
  const copy = async () => {
    await navigator.clipboard?.writeText(address);
    copied.value = true;
  };
  return (
    <li class="link-row">
      <span>
        <a href={address} data-native>
          {words.linkOf(link.label)}
        </a>{" "}
        <small class="hint">{words.until(day(link.until.slice(0, 10), language.value, "numeric"))}</small>
      </span>
      {navigator.clipboard !== undefined && (
        <button type="button" class="quiet" onClick={copy}>
          <span role="status">{copied.value ? words.copied : words.copy}</span>
        </button>
      )}
      <button type="button" class="quiet" onClick={onRevoke} aria-label={`${words.linkOf(link.label)}: ${words.revoke}`}>
        {words.revoke}
      </button>
    </li>
  );
}
