// What the order page needs from the day on: code and texts that come after the first load.

export { CheckoutForm } from "./checkout";
export { DateChoice } from "./date";
