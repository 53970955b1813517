// The driver's texts, and the language: what the driver chose last on this device, else German.

import { computed, signal } from "@preact/signals";
import type { Language } from "../format";

const de = {
  brand: "kreislauf Fahrer",
  other: "English",
  skip: "Zum Inhalt",
  again: "Noch einmal versuchen",
  storeless: { title: "Dieser Browser speichert nichts", todo: "Öffnen Sie die App in einem normalen Fenster, nicht privat. Sonst ginge verloren, was Sie melden." },
  offline: (time: string | undefined) => (time === undefined ? "Kein Netz. Sie können weiterarbeiten." : `Kein Netz. Stand ${time} Uhr; Sie können weiterarbeiten.`),
  unsaved: "Das Gerät konnte nicht speichern. Schaffen Sie Platz und wiederholen Sie die letzte Meldung.",
  waitsLong: (time: string) => `Seit ${time} Uhr wartet eine Meldung. Fahren Sie bitte dorthin, wo es Netz gibt.`,
  ended: "Ihre Sitzung ist zu Ende. Alles ist gespeichert; melden Sie sich an, dann wird es gesendet.",
  update: "Eine neue Version ist da.",
  load: "Jetzt laden",
  signIn: {
    title: "Anmelden", lead: "Mit dem Zugang, den Ihre Disposition für Sie angelegt hat.",
    invited: "Zugang anlegen", invitedLead: "Ihre Disposition hat Sie eingeladen. Mit E-Mail und Passwort melden Sie sich künftig an.",
    name: "Vor- und Nachname", email: "E-Mail", password: "Passwort", passwordHint: "Mindestens 10 Zeichen.", submit: "Anmelden", create: "Zugang anlegen",
    wrong: "E-Mail oder Passwort stimmt nicht.", taken: "Zu dieser E-Mail-Adresse gibt es schon einen Zugang. Melden Sie sich damit an.",
    invite: "Die Einladung gilt nicht mehr. Lassen Sie sich eine neue schicken.", unreachable: "Keine Antwort. Zum Anmelden ist ein Netz nötig.",
    tooMany: "Zu viele Versuche. Warten Sie ein wenig, und versuchen Sie es dann noch einmal.", failed: "Das hat nicht geklappt.", back: "Zurück zu den Aufträgen", known: "Ich habe schon einen Zugang",
    kept: (count: number) => `${count} ${count === 1 ? "Meldung wartet" : "Meldungen warten"} hier auf das Senden.`,
  },
  stranger: { title: "Dieses Konto ist kein Fahrer-Konto", todo: (email: string) => `Sie sind als ${email} angemeldet.`, change: "Konto wechseln", partner: "Zum Partnerbereich" },
  list: {
    title: "Heute", none: "Heute ist nichts zu tun.", noneTodo: "Neue Aufträge erscheinen hier, sobald Ihre Disposition sie Ihnen gibt.", later: "Danach", done: "Erledigt",
    noDay: "Abholung noch offen", loading: "Aufträge werden geladen …", fetch: "Aktualisieren",
  },
  steps: { swap: "Tauschen", matched: "Stellen", on_site: "Abholen", collected: "Wiegen", done: "Erledigt" } as Record<string, string>,
  nav: { jobs: "Aufträge", outbox: "Ausgang" },
  badge: (waiting: number, refused: number) => (refused > 0 ? `${refused} abgelehnt` : waiting > 0 ? `${waiting} ${waiting === 1 ? "wartet" : "warten"}` : "Alles gesendet"),
  job: {
    titles: { swap: "Container tauschen", matched: "Container stellen", on_site: "Container abholen", collected: "Abfall wiegen" } as Record<string, string>,
    done: "Erledigt", doneTodo: "Für diesen Auftrag ist nichts mehr zu tun.", gone: "Diesen Auftrag haben Sie nicht", goneTodo: "Vielleicht fährt ihn jetzt jemand anderes. Fragen Sie Ihre Disposition.",
    back: "Alle Aufträge", map: "Navigation", call: "Anrufen", customer: "Kunde", access: "Zufahrt", waste: "Abfall", size: (m3: number) => `${m3} m³`, day: "Tag", window: "Zeit", windows: { morning: "vormittags", afternoon: "nachmittags" } as Record<string, string>, vehicle: "Fahrzeug",
    number: "Auftrag", container: "Container", publicGround: "Öffentlicher Grund: Lassen Sie sich die Genehmigung zeigen.",
    containerLabel: "Containernummer", containerHint: "Wie auf dem Container lackiert, zum Beispiel K 17.", containerShort: "Bitte 2 bis 20 Zeichen eingeben.",
    place: "Container steht", swap: "Container getauscht", takes: (container: string) => `Nehmen Sie den vollen Container ${container} mit.`, apart: "Nur gestellt, der volle bleibt stehen", collect: "Container abgeholt", weigh: "Gewicht melden",
    gross: "Brutto in kg", tare: "Tara in kg", net: "Netto", slip: "Nummer des Wiegescheins", kg: "Bitte ein Gewicht in kg eingeben, höchstens 44.000.", tareMore: "Die Tara muss kleiner sein als das Brutto.",
    needed: "Bitte ausfüllen.", implausible: (least: string, most: string) => `Ungewöhnlich: Zu erwarten sind ${least} bis ${most}. Bitte beide Werte prüfen.`,
    confirm: "Ich habe geprüft, das Gewicht stimmt.", confirmFirst: "Bitte prüfen und bestätigen.",
    failed: (time: string, reason: string) => `Vergebliche Anfahrt am ${time}: ${reason}.`, fail: "Vergebliche Anfahrt", failReason: "Was war der Grund?", failNote: "Anmerkung", failNoteHint: "Der Kunde sieht sie.", failSubmit: "Anfahrt melden",
    reasons: { blocked: "Stellplatz versperrt", "no-access": "Zufahrt nicht möglich", "wrong-filling": "Falscher Inhalt", overfilled: "Überfüllt", other: "Anderer Grund" } as Record<string, string>,
  },
  photo: {
    photo: "Foto aufnehmen", slip: "Wiegeschein fotografieren", busy: "Wird gespeichert …", sent: (count: number) => `${count} gesendet`, pending: "Foto, noch nicht gesendet", remove: "Foto löschen",
    unreadable: "Das Bild ließ sich nicht lesen. Bitte noch einmal aufnehmen.", insecure: "Fotos gehen nur über eine verschlüsselte Verbindung (https).",
  },
  what: { "on-site": "Container steht", swapped: "Container getauscht", collected: "Container abgeholt", weighed: "Gewicht", "failed-trip": "Vergebliche Anfahrt", photo: "Foto", slip: "Wiegeschein" } as Record<string, string>,
  saved: (what: string) => `Gespeichert: ${what}`,
  undo: (seconds: number) => `Rückgängig (${seconds})`,
  outbox: {
    title: "Ausgang", sum: (count: number, kb: number, since: string) => `${count} ${count === 1 ? "Meldung" : "Meldungen"}, ${kb.toLocaleString("de-DE")} kB, seit ${since} Uhr`, waiting: "Wartet", refused: "Nicht angenommen", none: "Nichts wartet. Alles ist angekommen.", last: (time: string) => `Zuletzt gesendet: ${time}`, never: "Von diesem Gerät wurde noch nichts gesendet.",
    sending: "Wird gesendet …", held: "wird gleich gesendet", now: "Jetzt senden", retry: "Noch einmal senden", discard: "Verwerfen", discardSure: "Wirklich verwerfen? Diese Meldung geht verloren.",
    others: (count: number) => `${count} ${count === 1 ? "Meldung gehört" : "Meldungen gehören"} zu einem anderen Zugang und ${count === 1 ? "wartet" : "warten"}, bis er sich hier anmeldet.`,
    size: (kb: number) => `${kb.toLocaleString("de-DE")} kB`, trace: "Vorgangsnummer",
    why: {
      404: "Diesen Auftrag fährt jetzt jemand anderes. Rufen Sie Ihre Disposition an.", 409: "Zu diesem Schritt ist etwas anderes eingetragen. Was dort steht, gilt; rufen Sie bei Fragen Ihre Disposition an.",
      422: "Eine Angabe passt nicht. Öffnen Sie den Auftrag und geben Sie sie neu ein.", 403: "Dieses Konto darf das nicht.",
    } as Record<number, string>,
    open: "Auftrag öffnen",
  },
  signedIn: (email: string) => `Angemeldet als ${email}.`,
  leave: "Abmelden",
  leaveSure: (count: number) => `${count} ${count === 1 ? "Meldung ist" : "Meldungen sind"} noch nicht gesendet. Sie ${count === 1 ? "bleibt" : "bleiben"} auf diesem Gerät, bis Sie sich wieder anmelden. Abmelden?`,
  missing: "Diese Seite gibt es nicht",
};

export type Words = typeof de;

const en: Words = {
  brand: "kreislauf driver",
  other: "Deutsch",
  skip: "Skip to content",
  again: "Try again",
  storeless: { title: "This browser keeps nothing", todo: "Open the app in a normal window, not a private one. Otherwise what you report would be lost." },
  offline: (time) => (time === undefined ? "No network. You can go on working." : `No network. As of ${time}; you can go on working.`),
  unsaved: "The device could not save. Free some memory and repeat your last report.",
  waitsLong: (time) => `A report has been waiting since ${time}. Please go where there is a network.`,
  ended: "Your session has ended. Everything is kept; sign in, and it is sent.",
  update: "There is a new version.",
  load: "Load it now",
  signIn: {
    title: "Sign in", lead: "With the account that your dispatcher has made for you.",
    invited: "Open your account", invitedLead: "Your dispatcher has invited you. From now on you sign in with e-mail and password.",
    name: "First and last name", email: "E-mail", password: "Password", passwordHint: "At least 10 characters.", submit: "Sign in", create: "Open the account",
    wrong: "E-mail or password is wrong.", taken: "There is an account with this e-mail address already. Sign in with it.",
    invite: "The invitation is not valid any more. Ask for a new one.", unreachable: "No answer. Signing in needs a network.",
    tooMany: "Too many tries. Wait a little, then try again.", failed: "That did not work.", back: "Back to the jobs", known: "I have an account already",
    kept: (count) => `${count} ${count === 1 ? "report waits" : "reports wait"} here to be sent.`,
  },
  stranger: { title: "This is no driver's account", todo: (email) => `You are signed in as ${email}.`, change: "Change account", partner: "Go to the partner area" },
  list: {
    title: "Today", none: "Nothing to do today.", noneTodo: "New jobs appear here as soon as your dispatcher gives them to you.", later: "After that", done: "Done",
    noDay: "pick-up still open", loading: "Loading jobs …", fetch: "Refresh",
  },
  steps: { swap: "Swap", matched: "Place", on_site: "Collect", collected: "Weigh", done: "Done" },
  nav: { jobs: "Jobs", outbox: "Outbox" },
  badge: (waiting, refused) => (refused > 0 ? `${refused} refused` : waiting > 0 ? `${waiting} waiting` : "All sent"),
  job: {
    titles: { swap: "Swap the containers", matched: "Place the container", on_site: "Collect the container", collected: "Weigh the waste" },
    done: "Done", doneTodo: "Nothing is left to do for this job.", gone: "You do not have this job", goneTodo: "Perhaps somebody else drives it now. Ask your dispatcher.",
    back: "All jobs", map: "Navigate", call: "Call", customer: "Customer", access: "Access", waste: "Waste", size: (m3) => `${m3} m³`, day: "Day", window: "Time", windows: { morning: "in the morning", afternoon: "in the afternoon" }, vehicle: "Vehicle",
    number: "Job", container: "Container", publicGround: "Public ground: ask to see the permit.",
    containerLabel: "Container number", containerHint: "As painted on the container, for example K 17.", containerShort: "Please enter 2 to 20 characters.",
    place: "Container is on site", swap: "Containers swapped", takes: (container) => `Take the full container ${container} with you.`, apart: "Only placed, the full one stays", collect: "Container collected", weigh: "Report the weight",
    gross: "Gross in kg", tare: "Tare in kg", net: "Net", slip: "Number of the weighing slip", kg: "Please enter a weight in kg, at most 44,000.", tareMore: "The tare must be less than the gross weight.",
    needed: "Please fill in.", implausible: (least, most) => `Unusual: ${least} to ${most} are to be expected. Please check both values.`,
    confirm: "I have checked, the weight is right.", confirmFirst: "Please check and confirm.",
    failed: (time, reason) => `Failed trip, ${time}: ${reason}.`, fail: "Failed trip", failReason: "What was the reason?", failNote: "Note", failNoteHint: "The customer sees it.", failSubmit: "Report the trip",
    reasons: { blocked: "Place blocked", "no-access": "No access", "wrong-filling": "Wrong filling", overfilled: "Overfilled", other: "Another reason" },
  },
  photo: {
    photo: "Take a photo", slip: "Photograph the weighing slip", busy: "Saving …", sent: (count) => `${count} sent`, pending: "Photo, not sent yet", remove: "Delete photo",
    unreadable: "The picture could not be read. Please take it once more.", insecure: "Photos need an encrypted connection (https).",
  },
  what: { "on-site": "Container on site", swapped: "Containers swapped", collected: "Container collected", weighed: "Weight", "failed-trip": "Failed trip", photo: "Photo", slip: "Weighing slip" },
  saved: (what) => `Saved: ${what}`,
  undo: (seconds) => `Undo (${seconds})`,
  outbox: {
    title: "Outbox", sum: (count, kb, since) => `${count} ${count === 1 ? "report" : "reports"}, ${kb.toLocaleString("en-GB")} kB, since ${since}`, waiting: "Waiting", refused: "Not accepted", none: "Nothing waits. Everything has arrived.", last: (time) => `Last sent: ${time}`, never: "Nothing was sent from this device yet.",
    sending: "Sending …", held: "is sent in a moment", now: "Send now", retry: "Send again", discard: "Discard", discardSure: "Really discard? This report is lost then.",
    others: (count) => `${count} ${count === 1 ? "report belongs" : "reports belong"} to another account and ${count === 1 ? "waits" : "wait"} until it signs in here.`,
    size: (kb) => `${kb.toLocaleString("en-GB")} kB`, trace: "Reference",
    why: {
      404: "Somebody else drives this job now. Call your dispatcher.", 409: "Something else is recorded for this step. What is there counts; call your dispatcher if in doubt.",
      422: "Something you entered does not fit. Open the job and enter it anew.", 403: "This account cannot do that.",
    },
    open: "Open the job",
  },
  signedIn: (email) => `Signed in as ${email}.`,
  leave: "Sign out",
  leaveSure: (count) => `${count} ${count === 1 ? "report is" : "reports are"} not sent yet. ${count === 1 ? "It stays" : "They stay"} on this device until you sign in again. Sign out?`,
  missing: "There is no such page",
};

const place = "kreislauf_driver_language";

export const language = signal<Language>(localStorage.getItem(place) === "en" ? "en" : "de");

export function setLanguage(next: Language): void {
  language.value = next;
  localStorage.setItem(place, next);
}

export const words = computed<Words>(() => (language.value === "en" ? en : de));
