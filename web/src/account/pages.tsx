// The pages of the account: list, one order, one invoice.

import "../styles/account.css";
import type { Page } from "../route";
import { StatusPage } from "../status/status-page";
import { HomePage } from "./home-page";
import { InvoicePage } from "./invoice-page";

export function AccountPages({ shown }: { shown: Extract<Page, { name: "account" | "status" | "invoice" }> }) {
  if (shown.name === "status") return <StatusPage key={shown.id} id={shown.id} />;
  if (shown.name === "invoice") return <InvoicePage key={shown.id} number={shown.id} />;
  return <HomePage />;
}
