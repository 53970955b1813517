// One invoice or correction, to be read, paid and printed.

import type { ComponentChildren } from "preact";
import { day, money } from "../format";
import { keepLanguage, language } from "../text";
import { Icon } from "../ui/icon";
import { Skeleton } from "../ui/skeleton";
import { getInvoice, type Paper, type PaperLine, type Party } from "./api";
import { InvoiceBadge } from "./home-page";
import { ListProblem } from "./list-problem";
import { useAnswer } from "./loaded";
import { ibanGroups, invoiceState } from "./states";
import { words as texts } from "./words";

const date = (value: string) => day(value, language.value, "numeric");

export function InvoicePage({ number }: { number: string }) {
  const words = texts.value;
  const { answer: paper, error, again } = useAnswer(() => getInvoice(number));
  return (
    <>
      <p class="way-back">
        <a href={keepLanguage("/konto")}>{words.account.back}</a>
      </p>
      <div class="hero invoice-hero">
        <h1 tabIndex={-1}>
          {paper === undefined ? words.invoice.kinds["invoice"] : (words.invoice.kinds[paper.kind] ?? paper.title)} {number}
        </h1>
        {paper !== undefined && <InvoiceBadge invoice={paper} />}
      </div>
      <ListProblem error={error} again={again} />
      {paper !== undefined ? <InvoiceView paper={paper} /> : error === undefined && <Skeleton rows={5} kind="line" />}
    </>
  );
}

function InvoiceView({ paper }: { paper: Paper }) {
  const words = texts.value.invoice;
  const lang = language.value;
  const euros = (cents: number) => money(cents, lang, paper.total.currency);
  const { state } = invoiceState(paper, new Date());
  return (
    <>
      {words.german !== "" && <p class="hint no-print">{words.german}</p>}
      <article class="panel invoice">
        <div class="parties">
          <PartyView title={words.seller} party={paper.seller} />
          <PartyView title={words.buyer} party={paper.buyer} />
        </div>
        <section aria-labelledby="facts-title">
          <h2 id="facts-title">{words.facts}</h2>
          <dl class="facts facts-wide">
            <Fact name={words.number}>{paper.number}</Fact>
            <Fact name={words.issuedOn}>{date(paper.issued_on)}</Fact>
            <Fact name={words.supplied}>{paper.supplied_from === paper.supplied_to ? date(paper.supplied_from) : `${date(paper.supplied_from)} – ${date(paper.supplied_to)}`}</Fact>
            {paper.kind === "invoice" && (
              <Fact name={words.dueOn}>
                {date(paper.due_on)} ({words.term(paper.term_days)})
              </Fact>
            )}
            <Fact name={words.order}>
              <a href={keepLanguage(`/auftrag/${encodeURIComponent(paper.order_id)}`)}>{paper.order_id}</a>
            </Fact>
            <Fact name={words.slip}>{paper.slip}</Fact>
            {paper.corrects !== undefined && (
              <Fact name={words.corrects}>
                <a href={keepLanguage(`/rechnung/${encodeURIComponent(paper.corrects.number)}`)}>{words.of(paper.corrects.number, date(paper.corrects.issued_on))}</a>
              </Fact>
            )}
            {paper.correction !== undefined && (
              <Fact name={words.correctedBy}>
                <a href={keepLanguage(`/rechnung/${encodeURIComponent(paper.correction)}`)}>{paper.correction}</a>
              </Fact>
            )}
          </dl>
        </section>
        <section aria-labelledby="lines-title">
          <h2 id="lines-title">{words.lines}</h2>
          <table class="lines">
            <thead>
              <tr>
                <th scope="col">{words.text}</th>
                <th scope="col">{words.quantity}</th>
                <th scope="col">{words.unitPrice}</th>
                <th scope="col">{words.vat}</th>
                <th scope="col">{words.net}</th>
              </tr>
            </thead>
            <tbody>
              {paper.lines.map((line, i) => (
                <Line key={i} line={line} euros={euros} />
              ))}
            </tbody>
          </table>
          <dl class="sums">
            <dt>{words.netSum}</dt>
            <dd>{euros(paper.total.net_cents)}</dd>
            {paper.taxes.map(({ percent, net_cents, vat_cents }) => (
              <Fact key={percent} name={words.vatSum(percent, euros(net_cents))}>
                {euros(vat_cents)}
              </Fact>
            ))}
            <dt class="sum">{words.gross}</dt>
            <dd class="sum">{euros(paper.total.gross_cents)}</dd>
          </dl>
        </section>
        <Payments paper={paper} euros={euros} />
        {paper.iban !== undefined && paper.open_cents > 0 && (
          <section class="transfer" aria-labelledby="pay-title">
            <h2 id="pay-title">{words.pay}</h2>
            <p>{(state === "late" ? words.payLate : words.payLead)(euros(paper.open_cents), date(paper.due_on))}</p>
            <Transfer paper={paper} amount={euros(paper.open_cents)} />
          </section>
        )}
        {paper.notes.length > 0 && (
          <section aria-labelledby="notes-title">
            <h2 id="notes-title">{words.notes}</h2>
            {paper.notes.map((note) => (
              <p key={note} class="hint" lang="de">
                {note}
              </p>
            ))}
            {paper.iban !== undefined && paper.open_cents === 0 && <Transfer paper={paper} />}
          </section>
        )}
      </article>
      <p class="buttons no-print">
        <a class="button primary" href={`/api/payment/v1/invoices/${paper.number}/pdf`} download={`${paper.number}.pdf`} data-native>
          <Icon name="paper" />
          {words.download}
        </a>
        <button type="button" onClick={() => print()}>
          <Icon name="print" />
          {words.print}
        </button>
      </p>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function PartyView({ title, party }: { title: string; party: Party }) {
  const words = texts.value.invoice;
  const lines = [party.street, `${party.postcode} ${party.city}`];
  const numbers = [
    [words.vatId, party.vat_id],
    [words.taxNumber, party.tax_number],
    [words.sellerId, party.seller_id],
  ].filter(([, value]) => value !== undefined);
  const ways = [party.register, party.email, party.phone].filter((value) => value !== undefined);
  return (
    <section class="party">
      <h2>{title}</h2>
      <address>
        <strong>{party.name}</strong>
        {lines.map((line) => (
          <span key={line}>{line}</span>
        ))}
        {numbers.map(([name, value]) => (
          <small key={name}>
            {name} {value}
          </small>
        ))}
        {ways.map((value) => (
          <small key={value}>{value}</small>
        ))}
      </address>
    </section>
  );
}

function Line({ line, euros }: { line: PaperLine; euros: (cents: number) => string }) {
  const words = texts.value.invoice;
  const quantity = Number(line.quantity);
  const [one, many] = words.units[line.unit] ?? [line.unit, line.unit];
  const number = new Intl.NumberFormat(language.value === "en" ? "en-GB" : "de-DE", { maximumFractionDigits: 3 }).format(quantity);
  return (
    <tr>
      <th scope="row" lang="de">
        {line.text}
      </th>
      <td data-name={words.quantity}>
        {number} {Math.abs(quantity) === 1 ? one : many}
      </td>
      <td data-name={words.unitPrice}>{euros(line.unit_cents)}</td>
      <td data-name={words.vat}>{line.vat_percent} %</td>
      <td data-name={words.net}>{euros(line.net_cents)}</td>
    </tr>
  );
}

function Payments({ paper, euros }: { paper: Paper; euros: (cents: number) => string }) {
  const words = texts.value.invoice;
  const { payments = [], reminders = [] } = paper;
  return (
    <>
      {payments.length > 0 && (
        <section aria-labelledby="payments-title">
          <h2 id="payments-title">{words.payments}</h2>
          <dl class="sums">
            {payments.map((payment) => (
              <Fact key={payment.statement_line} name={words.paymentOf(date(payment.booked_on))}>
                {euros(payment.amount_cents)}
              </Fact>
            ))}
            <dt class="sum">{words.stillOpen}</dt>
            <dd class="sum">{euros(paper.open_cents)}</dd>
          </dl>
        </section>
      )}
      {reminders.length > 0 && (
        <section aria-labelledby="reminders-title">
          <h2 id="reminders-title">{words.reminders}</h2>
          <ul>
            {reminders.map((each) => (
              <li key={each.level}>{words.reminder(each.level, date(each.at.slice(0, 10)), date(each.pay_by))}</li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** The account, and what to transfer to it; without an amount nothing is to be paid. */
function Transfer({ paper, amount }: { paper: Paper; amount?: string }) {
  const words = texts.value.invoice;
  return (
    <dl class="facts facts-wide">
      <Fact name={words.recipient}>{paper.seller.name}</Fact>
      <Fact name={words.iban}>
        <span class="iban">{ibanGroups(paper.iban ?? "")}</span>
      </Fact>
      {paper.bic !== undefined && <Fact name={words.bic}>{paper.bic}</Fact>}
      {amount !== undefined && <Fact name={words.amount}>{amount}</Fact>}
      {amount !== undefined && <Fact name={words.reference}>{paper.number}</Fact>}
    </dl>
  );
}
