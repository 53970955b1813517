// The pages about accounts: a chunk of its own, with its texts.

import "../styles/account.css";
import { useEffect } from "preact/hooks";
import { text } from "../text";
import { CompanyPage } from "./company-page";
import { DemoPage, ForgotPage, InvitationPage, NewAccountPage, NewPasswordPage } from "./entry-pages";
import { SecurityPage } from "./security-page";
import { words } from "./text";

export default function AccessPages({ path }: { path: string }) {
  const { security, company, fresh, invitation, forgot, reset, demo } = words.value;
  const [Page, title] = (
    {
      "/konto/sicherheit": [SecurityPage, security.title],
      "/konto/firma": [CompanyPage, company.title],
      "/konto/neu": [NewAccountPage, fresh.title],
      "/konto/einladung": [InvitationPage, invitation.title],
      "/passwort/vergessen": [ForgotPage, forgot.title],
      "/passwort/neu": [NewPasswordPage, reset.title],
    } as const
  )[path] ?? ([DemoPage, demo.title] as const);
  useEffect(() => {
    document.title = `${title} – ${text.value.brand}`;
  }, [title]);
  return <Page key={path} />;
}
