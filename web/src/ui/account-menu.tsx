// In the header of every page: "sign in", or the customer's name with a menu.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { navigate, page } from "../route";
import { leave, sessionKnown, user } from "../session";
import { keepLanguage, text } from "../text";
import { Icon } from "./icon";
import { ProblemAlert } from "./problem";

export function AccountMenu() {
  const words = text.value;
  const menu = useRef<HTMLDivElement>(null);
  const error = useSignal<unknown>(undefined);
  const { role } = user.value ?? {};
  const area = page.value.name === "office" || role === "back_office" ? "/office" : page.value.name === "partner" || role === "dispatcher" ? "/partner" : role === "site_manager" ? "/baustelle" : "/konto";
  const home = keepLanguage(area);
  if (user.value === undefined) {
    if (!sessionKnown.value) return <span class="header-link" />; // no "sign in" that becomes a name at once
    return (
      <a class="header-link" href={home}>
        <Icon name="person" />
        {words.account.signIn}
      </a>
    );
  }

  const signOut = async () => {
    error.value = undefined;
    try {
      await leave();
      if (page.peek().name !== "order") navigate(home); // what the page showed belongs to the account
    } catch (cause) {
      error.value = cause;
    }
  };

  return (
    <>
      <button type="button" class="header-link" popovertarget="account-menu" aria-label={`${words.account.menu}: ${user.value.name}`}>
        <Icon name="person" />
        <span class="header-name">{user.value.name}</span>
      </button>
      <div class="menu" id="account-menu" popover ref={menu}>
        <p class="hint">{user.value.email}</p>
        <a class="button" href={home} onClick={() => menu.current?.hidePopover()}>
          {words.account.orders}
        </a>
        <a class="button" href={keepLanguage("/konto/sicherheit")} onClick={() => menu.current?.hidePopover()}>
          {words.account.security}
        </a>
        <button type="button" onClick={signOut}>
          {words.checkout.leave}
        </button>
        <ProblemAlert error={error.value} />
      </div>
    </>
  );
}
