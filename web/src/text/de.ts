// German texts: the source of the dictionary's type. Functions take the values that a sentence needs.

export const de = {
  brand: "kreislauf",
  skip: "Zum Inhalt",
  otherLanguage: "English",
  attribution: "IP-Geodaten:",
  again: "Noch einmal versuchen",
  change: "Ändern",
  loading: "Wird geladen",
  offline: (since: string) => `Keine Verbindung seit ${since} Uhr. Ihre Eingaben bleiben hier erhalten.`,
  missing: { title: "Diese Seite gibt es nicht", detail: "Die Adresse ist veraltet oder falsch geschrieben.", action: "Container bestellen" },

  order: {
    title: "Container bestellen",
    lead: "In vier Schritten zum Container. Den Preis sehen Sie vorher, ein Konto brauchen Sie erst für die Bestellung.",
    steps: { plz: "Postleitzahl", abfall: "Abfall", groesse: "Größe", datum: "Termin", adresse: "Adresse und Bestellung" },
    questions: {
      plz: "Wo soll der Container stehen?",
      abfall: "Was möchten Sie entsorgen?",
      groesse: "Welche Größe brauchen Sie?",
      datum: "Wann soll er kommen?",
      adresse: "Wohin liefern wir?",
    },
    next: "Weiter",
    checking: "Wird geprüft …",
    resumed: "Ihre letzte Auswahl ist wieder da.",
    anew: "Neu beginnen",
  },

  postcode: { label: "Postleitzahl der Baustelle oder des Grundstücks", hint: "Fünf Ziffern, zum Beispiel 10115." },

  waste: {
    hint: "Ein Container, eine Abfallart: Gemischt wird es teurer.",
    allowed: "Darf hinein",
    forbidden: "Darf nicht hinein",
    code: "Abfallschlüssel",
    hazardous: "Gefährliche Abfälle (Abfallschlüssel mit Sternchen) holen wir nicht ab; dafür braucht es einen Entsorger mit Genehmigung nach § 54 KrWG:",
  },

  size: {
    name: (size: number) => `${size} m³`,
    fits: (barrows: number) => `rund ${barrows} Schubkarren`,
    limit: "Ein Absetzkipper hebt höchstens 7 t. Befüllen Sie den Container nur bis zur Oberkante.",
    reasons: { "too-heavy": "voll zu schwer für den LKW (7 t)", taken: "ausgebucht" },
  },

  date: {
    hint: (earliest: string, latest: string) => `Möglich: ${earliest} bis ${latest}`,
    next: "Die nächsten Werktage",
    other: "Anderer Tag",
    take: "Tag übernehmen",
    closed: (day: string, reason: string) => `Am ${day} (${reason}) liefern wir hier nicht. Bitte wählen Sie einen anderen Tag.`,
    taken: (day: string, next: string) => `Am ${day} sind alle Container dieser Größe vergeben.${next === "" ? "" : ` Nächster freier Tag: ${next}.`}`,
  },

  price: {
    label: "Preis",
    from: (price: string) => `ab ${price}`,
    perTonne: (price: string) => `nach Gewicht, je Tonne ${price}`,
    byWeight: (least: string, tonne: string) => `nach Gewicht: ${least} inklusive (Mindestmenge), jede weitere Tonne ${tonne}`,
    vat: "inkl. MwSt.",
    days: (days: number) => `${days} Tage inklusive`,
    extraDay: (extra: string) => `danach ${extra} je Tag`,
    weight: (limit: string) => `höchstens ${limit}`,
    earliest: "beim frühesten Termin",
    updating: "Preis wird berechnet",
  },

  checkout: {
    account: "Ihr Konto",
    fresh: "Neu hier",
    known: "Ich habe ein Konto",
    signedIn: (email: string) => `Angemeldet als ${email}`,
    leave: "Abmelden",
    email: "E-Mail",
    password: "Passwort",
    passwordHint: (least: number) => `Mindestens ${least} Zeichen.`,
    address: "Adresse des Stellplatzes",
    name: "Vor- und Nachname",
    street: "Straße und Hausnummer",
    city: "Ort",
    site: "Baustelle",
    otherAddress: "Andere Adresse",
    postcode: "PLZ",
    publicGround: "Der Container steht auf öffentlichem Grund",
    publicGroundHint:
      "Straße, Gehweg oder Parkbucht: Dafür brauchen Sie eine Genehmigung Ihrer Gemeinde (Sondernutzung). Der Fahrer lässt sie sich zeigen.",
    space: "Das Fahrzeug braucht vor dem Stellplatz etwa 12 × 3 m freie Fläche.",
    submit: "Zahlungspflichtig bestellen",
    submitting: "Wird bestellt …",
    priceChanged: (before: string, now: string) => `Der Preis hat sich geändert: ${now} statt ${before}. Bitte prüfen Sie ihn und bestellen Sie erneut.`,
  },

  expired: {
    title: "Bitte melden Sie sich an",
    detail: "Ihre Sitzung ist abgelaufen. Ihre Eingaben sind noch da; nach der Anmeldung geht es weiter.",
    submit: "Anmelden und fortfahren",
    cancel: "Abbrechen",
  },

  account: { signIn: "Anmelden", menu: "Ihr Konto", orders: "Meine Aufträge", order: "Auftrag", invoice: "Rechnung", sites: "Baustellen", site: "Baustelle" },

  invalid: {
    required: "Bitte ausfüllen.",
    postcode: "Bitte fünf Ziffern eingeben.",
    email: "Bitte eine vollständige E-Mail-Adresse eingeben.",
    tooShort: (least: number) => `Bitte mindestens ${least} Zeichen eingeben.`,
    date: "Bitte einen Tag im möglichen Zeitraum wählen.",
  },

  /** Our words for what the server says about a field; its own sentence stands below. */
  refused: {
    "?postcode": "Diese Postleitzahl gibt es nicht, oder dort liefern wir noch nicht. Bitte prüfen Sie die fünf Ziffern.",
    "?waste": "Diese Abfallart können wir hier nicht abholen. Bitte wählen Sie eine andere.",
    "?size": "Diese Größe gibt es für diesen Abfall nicht. Bitte wählen Sie eine andere.",
    "?date": "An diesem Tag können wir nicht liefern. Bitte wählen Sie einen anderen.",
    "/email": "Diese E-Mail-Adresse kann nicht verwendet werden. Bitte prüfen Sie sie oder melden Sie sich an.",
    "/password": "Dieses Passwort ist zu kurz oder zu einfach. Bitte wählen Sie ein anderes.",
    "/name": "Bitte prüfen Sie den Namen.",
    "/address/name": "Bitte prüfen Sie den Namen.",
    "/address/street": "Bitte prüfen Sie Straße und Hausnummer.",
    "/address/city": "Bitte prüfen Sie den Ort.",
    "/site_id": "Diese Baustelle liegt nicht in dieser Postleitzahl oder ruht. Bitte wählen Sie eine andere.",
    "/quote": "Das Angebot ist abgelaufen. Wir haben den Preis neu berechnet; bitte bestellen Sie noch einmal.",
  } as Record<string, string>,

  problem: {
    trace: "Vorgangsnummer",
    unreachable: { title: "Keine Verbindung", todo: "Es kam keine Antwort. Prüfen Sie Ihr Netz und versuchen Sie es noch einmal; nichts wird doppelt bestellt." },
    signIn: { title: "Anmeldung nicht möglich", todo: "E-Mail oder Passwort stimmt nicht. Bitte prüfen Sie beides." },
    emailTaken: { title: "Konto besteht schon", todo: "Zu dieser E-Mail-Adresse gibt es ein Konto. Wählen Sie „Ich habe ein Konto“ und melden Sie sich an." },
    kinds: {
      invalid: { title: "Bitte prüfen Sie Ihre Angaben", todo: "Mindestens eine Angabe passt nicht." },
      malformed: { title: "Die Anfrage war nicht lesbar", todo: "Laden Sie die Seite neu und versuchen Sie es noch einmal." },
      unauthenticated: { title: "Bitte melden Sie sich an", todo: "Dieser Schritt braucht ein Konto." },
      forbidden: { title: "Das ist mit diesem Konto nicht möglich", todo: "Melden Sie sich mit dem Konto an, zu dem der Auftrag gehört, oder mit einem Kundenkonto." },
      "not-found": { title: "Nicht gefunden", todo: "Prüfen Sie die Adresse der Seite. Aufträge sieht nur, wer sie bestellt hat." },
      conflict: { title: "Das wurde inzwischen geändert", todo: "Laden Sie die Seite neu und prüfen Sie den Stand." },
      "too-many": { title: "Zu viele Versuche", todo: "Bitte warten Sie einen Augenblick und versuchen Sie es dann noch einmal." },
      unavailable: { title: "Gerade nicht erreichbar", todo: "Bitte versuchen Sie es gleich noch einmal; nichts wird doppelt bestellt." },
      internal: { title: "Bei uns ist etwas schiefgegangen", todo: "Bitte versuchen Sie es noch einmal. Bleibt es dabei, nennen Sie uns die Vorgangsnummer." },
    } as Record<string, { title: string; todo: string }>,
  },
};

/** Every language has exactly these texts. */
export type Text = typeof de;
