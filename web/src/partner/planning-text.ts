// The texts of the planning pages.

import { computed } from "@preact/signals";
import { language } from "../text";

const de = {
  plan: {
    title: "Tagesplan", before: "Vorheriger Tag", after: "Nächster Tag", today: "Heute", day: "Tag", by: "Gruppieren nach", driver: "Fahrer", vehicle: "Fahrzeug",
    open: "Noch nicht geplant", noneOpen: "Für diesen Tag ist alles geplant.", none: "Noch keine Fahrt.", nobody: "Ohne Fahrer", noVehicle: "Ohne Fahrzeug",
    trips: { place: "Stellen", fetch: "Abholen", swap: "Tauschen" } as Record<string, string>, windows: { "": "ganzer Tag", morning: "vormittags", afternoon: "nachmittags" } as Record<string, string>,
    wished: (date: string) => `gewünscht ${date}`, up: "Nach oben", down: "Nach unten", choose: (street: string) => `Auswählen: ${street}`,
    chosen: (count: number) => `${count} ausgewählt`, window: "Zeit", submit: "Einplanen", busy: "Wird geplant …", clear: "Auswahl aufheben", all: "Alle auswählen",
    done: (count: number) => `${count === 1 ? "Eine Fahrt ist" : `${count} Fahrten sind`} geplant. Kunden mit geändertem Termin bekommen eine E-Mail.`,
    failed: (count: number, of: number) => `${count} von ${of} Fahrten ließen sich nicht planen.`,
    keys: "Tastatur: J und K gehen durch die Aufträge, X wählt aus, M öffnet das Einplanen, Alt mit Pfeil hoch oder runter ändert die Reihenfolge.",
    placing: "Zu stellen", of: (count: number, most: number) => `${count} von ${most}`, unlimited: (count: number) => `${count}`,
    noDrivers: "Legen Sie zuerst unter „Betrieb“ Ihre Fahrer an.", call: "Anrufen",
  },
  fleet: {
    title: "Betrieb", drivers: "Fahrer", vehicles: "Fahrzeuge", certificates: "Nachweise", capacity: "Container am Tag",
    noDrivers: "Noch keine Fahrer.", noVehicles: "Noch keine Fahrzeuge.", noCertificates: "Keine Nachweise hinterlegt.",
    name: "Vor- und Nachname", phone: "Telefon (freiwillig)", addDriver: "Fahrer hinzufügen", plate: "Kennzeichen", plateHint: "Zum Beispiel K-EK 117.", kind: "Bauart",
    kinds: { skip: "Absetzkipper", "roll-off": "Abrollkipper" } as Record<string, string>, addVehicle: "Fahrzeug hinzufügen", remove: "Entfernen", sure: (what: string) => `${what} entfernen?`,
    invite: "Einladen", inviting: "Einladungslink", inviteTodo: (until: string) => `Schicken Sie den Link nur dem Fahrer. Er gilt bis ${until} und öffnet die Fahrer-App.`, copy: "Link kopieren", copied: "Kopiert", share: "Teilen",
    saved: "Gespeichert.", changed: { title: "Inzwischen geändert", todo: "Jemand anderes hat den Betrieb geändert. Der Stand ist neu geladen; bitte wiederholen Sie Ihre Änderung." },
    capacityLead: "So viele Container stellen Sie höchstens an einem Tag. Leer heißt: keine Grenze.", size: (m3: number) => `${m3} m³`, save: "Speichern",
    certificateKinds: { efb: "Entsorgungsfachbetrieb", "53": "Anzeige nach § 53 KrWG", "54": "Erlaubnis nach § 54 KrWG" } as Record<string, string>,
    endless: "unbefristet", until: (date: string) => `gültig bis ${date}`, days: (count: number) => (count === 0 ? "endet heute" : count === 1 ? "noch 1 Tag" : `noch ${count} Tage`), over: "abgelaufen",
    certificateTodo: "Neue Nachweise trägt der Kundendienst ein. Ohne gültige Anzeige oder Erlaubnis bekommen Sie keine Aufträge.",
    needed: "Bitte ausfüllen.", number: "Bitte eine ganze Zahl von 0 bis 1000 eingeben.",
  },
};

type Words = typeof de;

const en: Words = {
  plan: {
    title: "Day plan", before: "Day before", after: "Next day", today: "Today", day: "Day", by: "Group by", driver: "Driver", vehicle: "Vehicle",
    open: "Not planned yet", noneOpen: "Everything is planned for this day.", none: "No trip yet.", nobody: "Without a driver", noVehicle: "Without a vehicle",
    trips: { place: "Place", fetch: "Collect", swap: "Swap" }, windows: { "": "all day", morning: "morning", afternoon: "afternoon" },
    wished: (date) => `wanted ${date}`, up: "Move up", down: "Move down", choose: (street) => `Select: ${street}`,
    chosen: (count) => `${count} selected`, window: "Time", submit: "Plan", busy: "Planning …", clear: "Clear selection", all: "Select all",
    done: (count) => `${count === 1 ? "One trip is" : `${count} trips are`} planned. Customers whose date has changed get an e-mail.`,
    failed: (count, of) => `${count} of ${of} trips could not be planned.`,
    keys: "Keyboard: J and K go through the jobs, X selects, M opens the planning, Alt with arrow up or down changes the order.",
    placing: "To place", of: (count, most) => `${count} of ${most}`, unlimited: (count) => `${count}`,
    noDrivers: "First enter your drivers under “Company”.", call: "Call",
  },
  fleet: {
    title: "Company", drivers: "Drivers", vehicles: "Vehicles", certificates: "Certificates", capacity: "Containers a day",
    noDrivers: "No drivers yet.", noVehicles: "No vehicles yet.", noCertificates: "There are no certificates.",
    name: "First and last name", phone: "Telephone (optional)", addDriver: "Add driver", plate: "Plate", plateHint: "For example K-EK 117.", kind: "Type",
    kinds: { skip: "Skip loader", "roll-off": "Roll-off truck" }, addVehicle: "Add vehicle", remove: "Remove", sure: (what) => `Remove ${what}?`,
    invite: "Invite", inviting: "Invitation link", inviteTodo: (until) => `Send the link to this driver only. It holds until ${until} and opens the driver's app.`, copy: "Copy link", copied: "Copied", share: "Share",
    saved: "Saved.", changed: { title: "Changed meanwhile", todo: "Somebody else has changed the company. It was loaded anew; please repeat your change." },
    capacityLead: "This is how many containers you place in a day at most. Empty means: no limit.", size: (m3) => `${m3} m³`, save: "Save",
    certificateKinds: { efb: "Specialised waste company (EfB)", "53": "Notice after § 53 KrWG", "54": "Permit after § 54 KrWG" },
    endless: "without end", until: (date) => `valid until ${date}`, days: (count) => (count === 0 ? "ends today" : count === 1 ? "1 day left" : `${count} days left`), over: "expired",
    certificateTodo: "Customer service enters new certificates. Without a valid notice or permit you get no jobs.",
    needed: "Please fill in.", number: "Please enter a whole number from 0 to 1000.",
  },
};

export const planning = computed<Words>(() => (language.value === "en" ? en : de));
