// What several of these pages share.

import type { ComponentChildren } from "preact";
import { url } from "../route";
import { mayBeSignedIn, user } from "../session";
import { keepLanguage, text } from "../text";
import { SignInForm } from "../ui/sign-in-dialog";
import { words } from "./text";

/** The pages of the own account; the company is a customer's. */
export function AccountTabs() {
  if (user.value !== undefined && user.value.role !== "customer") return null;
  return (
    <nav class="tabs" aria-label={words.value.account}>
      {(
        [
          ["/konto", text.value.account.orders],
          ["/konto/sicherheit", words.value.security.title],
          ["/konto/firma", words.value.company.title],
        ] as const
      ).map(([path, title]) => (
        <a key={path} href={keepLanguage(path)} {...(url.value.pathname === path ? { "aria-current": "page" as const } : {})}>
          {title}
        </a>
      ))}
    </nav>
  );
}

/** Shows the page to whoever is signed in, and the form to sign in to everybody else. */
export function AskToSignIn({ title, children }: { title: string; children: ComponentChildren }) {
  if (user.value !== undefined || mayBeSignedIn()) return <>{children}</>;
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{title}</h1>
      </div>
      <section class="panel sign-in" aria-label={title}>
        <SignInForm submitLabel={text.value.account.signIn} />
      </section>
    </>
  );
}
