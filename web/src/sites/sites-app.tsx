// The pages about sites: the customer's list with standing orders, and the page of a site manager.

import "../styles/account.css";
import "./sites.css";
import { ManagerPage } from "./manager-page";
import { SitesPage } from "./sites-page";

export default function SitesApp({ managed }: { managed: boolean }) {
  return managed ? <ManagerPage /> : <SitesPage />;
}
