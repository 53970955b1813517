// The customer's company: what it is billed by, its members, and who is invited.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { useAnswer } from "../account/loaded";
import { moment } from "../format";
import { Intent } from "../http";
import { navigate } from "../route";
import { loadSession, user, withSession } from "../session";
import { keepLanguage, language, text } from "../text";
import { Field } from "../ui/field";
import { ProblemAlert } from "../ui/problem";
import { Skeleton } from "../ui/skeleton";
import { type Company, type Invitation, invite, getCompany, type Member, type OwnCompany, putCompany, removeMember, takeBack } from "./api";
import { CompanyFields, detailsOf, Form } from "./form";
import { AccountTabs, AskToSignIn } from "./parts";
import { words as texts } from "./text";

export function CompanyPage() {
  const words = texts.value.company;
  return (
    <AskToSignIn title={words.title}>
      <div class="hero">
        <h1 tabIndex={-1}>{words.title}</h1>
        <p>{words.lead}</p>
      </div>
      <AccountTabs />
      {user.value !== undefined && user.value.role !== "customer" ? <p>{texts.value.wrongRole}</p> : <Loaded />}
    </AskToSignIn>
  );
}

function Loaded() {
  const { answer, error, again } = useAnswer(getCompany);
  if (error !== undefined) {
    return (
      <ProblemAlert error={error}>
        <button type="button" onClick={again}>
          {text.value.again}
        </button>
      </ProblemAlert>
    );
  }
  if (answer === undefined) return <Skeleton rows={3} kind="card" />;
  return (
    <div class="account">
      <DetailsOf key={answer.company?.version ?? 0} company={answer.company} again={again} />
      {answer.company !== null && <People all={answer} company={answer.company} again={again} />}
    </div>
  );
}

function DetailsOf({ company, again }: { company: Company | null; again: () => void }) {
  const words = texts.value.company;
  const saved = useSignal(false);
  if (company !== null && !company.admin) {
    return (
      <section class="panel" aria-labelledby="details-title">
        <h2 id="details-title">{company.name}</h2>
        <p>
          {company.street}, {company.postcode} {company.city}
        </p>
        <p>{company.email}</p>
        {company.vat_id !== undefined && (
          <p>
            {words.vatId} {company.vat_id}
          </p>
        )}
        <p class="hint">{words.adminOnly}</p>
      </section>
    );
  }
  return (
    <section class="panel sign-in" aria-labelledby="details-title">
      <h2 id="details-title">{words.details}</h2>
      {company === null && <p>{words.none}</p>}
      <Form
        submit={company === null ? words.found : words.save}
        send={async (typed) => {
          const details = detailsOf(typed);
          await withSession(() => putCompany(details, company));
          saved.value = true;
          if (company === null) await loadSession(); // it says for whom the user orders
          again();
        }}
      >
        {(found) => <CompanyFields found={found} before={company} />}
      </Form>
      {saved.value && <p role="status">{words.saved}</p>}
    </section>
  );
}

function People({ all, company, again }: { all: OwnCompany; company: Company; again: () => void }) {
  const words = texts.value.company;
  const failure = useSignal<unknown>(undefined);
  const change = async (run: () => Promise<void>) => {
    failure.value = undefined;
    try {
      await withSession(run);
    } catch (cause) {
      failure.value = cause;
    }
    again();
  };
  const remove = (member: Member) => {
    const own = member.user_id === user.value?.user_id;
    if (!confirm(own ? words.sureLeave : words.sure(member.name))) return;
    void change(async () => {
      await removeMember(member.user_id);
      if (!own) return;
      user.value = undefined;
      navigate(keepLanguage("/konto"));
    });
  };
  return (
    <>
      <section aria-labelledby="members-title">
        <h2 id="members-title">{words.members}</h2>
        <ProblemAlert error={failure.value} />
        <ul class="rows">
          {all.members.map((member) => (
            <MemberRow key={member.user_id} member={member} admin={company.admin} onRemove={() => remove(member)} />
          ))}
        </ul>
      </section>
      {company.admin && <Invitations list={all.invitations} again={again} onTakeBack={(id) => void change(() => takeBack(id))} />}
    </>
  );
}

function MemberRow({ member, admin, onRemove }: { member: Member; admin: boolean; onRemove: () => void }) {
  const words = texts.value.company;
  const own = member.user_id === user.value?.user_id;
  return (
    <li class="panel person">
      <div>
        <h3>{own ? `${member.name} (${words.you})` : member.name}</h3>
        <p class="hint">{member.email}</p>
      </div>
      {member.admin ? (
        <span class="badge badge-now">{words.admin}</span>
      ) : own ? (
        <button type="button" class="quiet" onClick={onRemove}>
          {words.leave}
        </button>
      ) : (
        admin && (
          <button type="button" class="quiet" aria-label={words.removeNamed(member.name)} onClick={onRemove}>
            {words.remove}
          </button>
        )
      )}
    </li>
  );
}

function Invitations({ list, again, onTakeBack }: { list: Invitation[]; again: () => void; onTakeBack: (id: string) => void }) {
  const words = texts.value.company;
  const intent = useRef(new Intent());
  const made = useSignal<Invitation | undefined>(undefined);
  return (
    <section class="panel sign-in" aria-labelledby="invitations-title">
      <h2 id="invitations-title">{words.invitations}</h2>
      {list.length > 0 && (
        <ul class="rows">
          {list.map((each) => (
            <li key={each.invitation_id} class="panel person">
              <div>
                <h3>{each.email}</h3>
                <p class="hint">{words.until(moment(each.until, language.value))}</p>
              </div>
              <button type="button" class="quiet" aria-label={words.takeBackNamed(each.email)} onClick={() => onTakeBack(each.invitation_id)}>
                {words.takeBack}
              </button>
            </li>
          ))}
        </ul>
      )}
      {made.value !== undefined && (
        <p role="status">
          {words.invited(made.value.email)} <code>{`${location.origin}/konto/einladung#${made.value.invite ?? ""}`}</code>
        </p>
      )}
      <Form
        key={made.value?.invitation_id ?? ""}
        submit={words.invite}
        send={async (typed) => {
          const email = typed("/email").trim();
          made.value = await withSession(() => invite(intent.current, email));
          again();
        }}
      >
        {(found) => <Field name="/email" label={words.inviteEmail} type="email" autoComplete="off" required maxLength={254} complaint={found["/email"]} />}
      </Form>
    </section>
  );
}
