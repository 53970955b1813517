// The pages with which a dispatcher plans: a chunk of its own, loaded when one of them is opened.

import "./planning.css";
import { FleetPage } from "./fleet-page";
import { PlanPage } from "./plan-page";

export default function Planning({ shown }: { shown: "plan" | "fleet" }) {
  return shown === "plan" ? <PlanPage /> : <FleetPage />;
}
