// English texts. The server's own sentences are English, so fields show them as they are.

import type { Text } from "./de";

export const en: Text = {
  brand: "kreislauf",
  skip: "Skip to content",
  otherLanguage: "Deutsch",
  attribution: "IP geolocation:",
  again: "Try again",
  change: "Change",
  loading: "Loading",
  offline: (since) => `No connection since ${since}. What you entered stays here.`,
  missing: { title: "This page does not exist", detail: "The address is out of date or misspelt.", action: "Order a container" },

  order: {
    title: "Order a container",
    lead: "A container in four steps. You see the price before; you need an account only to order.",
    steps: { plz: "Postcode", abfall: "Waste", groesse: "Size", datum: "Date", adresse: "Address and order" },
    questions: {
      plz: "Where should the container stand?",
      abfall: "What do you want to get rid of?",
      groesse: "Which size do you need?",
      datum: "When should it come?",
      adresse: "Where do we deliver?",
    },
    next: "Continue",
    checking: "Checking …",
    resumed: "Your last choice is back.",
    anew: "Begin anew",
  },

  postcode: { label: "Postcode of the site", hint: "Five digits, for example 10115." },

  waste: {
    hint: "One container, one kind of waste: mixing them costs more.",
    allowed: "Goes in",
    forbidden: "Must not go in",
    code: "Waste code",
    hazardous: "We do not collect hazardous waste (waste codes with an asterisk); it takes a disposal company with a permit (§ 54 KrWG):",
  },

  size: {
    name: (size) => `${size} m³`,
    fits: (barrows) => `about ${barrows} wheelbarrows`,
    limit: "A skip lorry lifts 7 t at most. Fill the container no higher than its rim.",
    reasons: { "too-heavy": "too heavy for the lorry when full (7 t)", taken: "fully booked" },
  },

  date: {
    hint: (earliest, latest) => `Possible: ${earliest} to ${latest}`,
    next: "The next working days",
    other: "Another day",
    take: "Take this day",
    closed: (day, reason) => `We do not deliver here on ${day} (${reason}). Please choose another day.`,
    taken: (day, next) => `All containers of this size are taken on ${day}.${next === "" ? "" : ` Next free day: ${next}.`}`,
  },

  price: {
    label: "Price",
    from: (price) => `from ${price}`,
    perTonne: (price) => `by weight, ${price} a tonne`,
    byWeight: (least, tonne) => `by weight: ${least} included (least amount), each further tonne ${tonne}`,
    vat: "incl. VAT",
    days: (days) => `${days} days included`,
    extraDay: (extra) => `then ${extra} a day`,
    weight: (limit) => `${limit} at most`,
    earliest: "on the earliest date",
    updating: "Calculating the price",
  },

  checkout: {
    account: "Your account",
    fresh: "New here",
    known: "I have an account",
    signedIn: (email) => `Signed in as ${email}`,
    leave: "Sign out",
    email: "Email",
    password: "Password",
    passwordHint: (least) => `At least ${least} characters.`,
    address: "Address of the site",
    name: "First and last name",
    street: "Street and number",
    city: "Town",
    site: "Site",
    otherAddress: "Another address",
    postcode: "Postcode",
    publicGround: "The container stands on public ground",
    publicGroundHint: "Road, pavement or parking bay: you need a permit of your municipality (Sondernutzung). The driver will ask to see it.",
    space: "The lorry needs about 12 × 3 m of free space in front of the spot.",
    submit: "Order with obligation to pay",
    submitting: "Ordering …",
    priceChanged: (before, now) => `The price has changed: ${now} instead of ${before}. Please check it and order again.`,
  },

  expired: {
    title: "Please sign in",
    detail: "Your session has ended. What you entered is still here; after signing in we go on.",
    submit: "Sign in and continue",
    cancel: "Cancel",
  },

  account: { signIn: "Sign in", menu: "Your account", orders: "My orders", order: "Order", invoice: "Invoice", sites: "Sites", site: "Site" },

  invalid: {
    required: "Please fill in.",
    postcode: "Please enter five digits.",
    email: "Please enter a complete email address.",
    tooShort: (least) => `Please enter at least ${least} characters.`,
    date: "Please choose a day within the possible range.",
  },

  refused: { "/quote": "The offer has ended. We calculated the price again; please order once more." },

  problem: {
    trace: "Reference",
    unreachable: { title: "No connection", todo: "No answer came. Check your network and try again; nothing is ordered twice." },
    signIn: { title: "Sign-in failed", todo: "Email or password is wrong. Please check both." },
    emailTaken: { title: "The account exists", todo: "There is an account for this email address. Choose “I have an account” and sign in." },
    kinds: {
      invalid: { title: "Please check what you entered", todo: "At least one entry does not fit." },
      malformed: { title: "The request could not be read", todo: "Reload the page and try again." },
      unauthenticated: { title: "Please sign in", todo: "This step needs an account." },
      forbidden: { title: "Not possible with this account", todo: "Sign in with the account that the order belongs to, or with a customer account." },
      "not-found": { title: "Not found", todo: "Check the address of the page. Only who placed an order can see it." },
      conflict: { title: "It has changed meanwhile", todo: "Reload the page and check." },
      "too-many": { title: "Too many attempts", todo: "Please wait a moment, then try again." },
      unavailable: { title: "Not available right now", todo: "Please try again in a moment; nothing is ordered twice." },
      internal: { title: "Something went wrong on our side", todo: "Please try again. If it persists, tell us the reference." },
    },
  },
};
