// The later parts of the order page, as its first part knows them.

import { lazily } from "../ui/lazy";

const isPage = false;
const load = () => import("./later");

export const { Lazy: CheckoutForm, preload: preloadCheckout } = lazily(async () => (await load()).CheckoutForm, isPage);
export const { Lazy: DateChoice, preload: preloadDate } = lazily(async () => (await load()).DateChoice, isPage);
