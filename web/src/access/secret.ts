// What stands behind # in a link of a mail. Browsers send it to no server; here it leaves the address bar too, and with it the history.

let taken = "";

/** The secret of this visit's link; empty without one. Once read it is kept, because a page may be drawn again. */
export function secret(): string {
  const found = location.hash.slice(1);
  if (found !== "" && found !== "inhalt") {
    taken = found;
    history.replaceState(null, "", location.pathname + location.search);
  }
  return taken;
}

/** For whom an invitation code is; empty when it cannot be read. Whether it is genuine only the server can say. */
export function invitedEmail(code: string): string {
  try {
    const part = (code.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const content: unknown = JSON.parse(atob(part));
    const email = (content as { email?: unknown } | null)?.email;
    return typeof email === "string" ? email : "";
  } catch {
    return "";
  }
}
