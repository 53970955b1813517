package authz

// Routes is the table: every route of every service.
func Routes() Table {
	public := []Grant{{Scope: Anyone}}
	signedIn := []Grant{{Customer, Own}, {SiteManager, Own}, {Dispatcher, Own}, {Driver, Own}, {BackOffice, Own}, {Ops, Own}}
	atWork := []Grant{{Dispatcher, Partner}, {Driver, Own}}
	return Table{
		{"POST", "/api/identity/v1/users", public},
		{"POST", "/api/identity/v1/sessions", public},
		{"GET", "/api/identity/v1/sessions/current", signedIn},
		{"DELETE", "/api/identity/v1/sessions/current", signedIn},

		{"GET", "/api/disposer/v1/profile", []Grant{{Dispatcher, Partner}, {Driver, Own}}},
		{"PUT", "/api/disposer/v1/profile", []Grant{{Dispatcher, Partner}}},
		{"GET", "/api/disposer/v1/partners", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/disposer/v1/partners/{id}", []Grant{{BackOffice, Tenant}}},
		{"PUT", "/api/disposer/v1/partners/{id}", []Grant{{BackOffice, Tenant}}},

		{"GET", "/api/pricing/v1/catalog", public},
		{"GET", "/api/pricing/v1/quotes", public},

		{"POST", "/api/order/v1/orders", []Grant{{Customer, Own}}},
		{"GET", "/api/order/v1/orders", []Grant{{Customer, Own}}},
		{"GET", "/api/order/v1/orders/{id}", []Grant{{Customer, Own}, {BackOffice, Tenant}}},
		{"POST", "/api/order/v1/orders/{id}/cancel", []Grant{{Customer, Own}, {BackOffice, Tenant}}},
		{"POST", "/api/order/v1/orders/{id}/pick-up", []Grant{{Customer, Own}}},
		{"GET", "/api/order/v1/jobs", atWork},
		{"GET", "/api/order/v1/jobs/{id}", atWork},
		{"POST", "/api/order/v1/jobs/{id}/driver", []Grant{{Dispatcher, Partner}}},
		{"POST", "/api/order/v1/jobs/{id}/failed-trip", atWork},
		{"POST", "/api/order/v1/jobs/{id}/on-site", atWork},
		{"POST", "/api/order/v1/jobs/{id}/collected", atWork},
		{"POST", "/api/order/v1/jobs/{id}/weighed", atWork},
		{"PUT", "/api/order/v1/jobs/{id}/documents/{sha256}", atWork},
		{"GET", "/api/order/v1/jobs/{id}/documents/{sha256}", atWork},
		{"GET", "/api/order/v1/orders/{id}/documents/{sha256}", []Grant{{Customer, Own}, {BackOffice, Tenant}}},

		{"GET", "/api/matching/v1/offers", []Grant{{Dispatcher, Partner}}},
		{"POST", "/api/matching/v1/offers/{id}/accept", []Grant{{Dispatcher, Partner}}},
		{"POST", "/api/matching/v1/offers/{id}/decline", []Grant{{Dispatcher, Partner}}},
		{"GET", "/api/matching/v1/matches/{id}", []Grant{{BackOffice, Tenant}}},
		{"POST", "/api/matching/v1/matches/{id}/reassign", []Grant{{BackOffice, Tenant}}},

		{"GET", "/api/payment/v1/invoices", []Grant{{Customer, Own}, {BackOffice, Tenant}}},
		{"GET", "/api/payment/v1/invoices/{number}", []Grant{{Customer, Own}, {BackOffice, Tenant}}},
		{"GET", "/api/payment/v1/invoices/{number}/pdf", []Grant{{Customer, Own}, {BackOffice, Tenant}}},
		{"GET", "/api/payment/v1/invoices/{number}/xml", []Grant{{Customer, Own}, {BackOffice, Tenant}}},
		{"POST", "/api/payment/v1/invoices/{number}/correction", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/payment/v1/credit-notes", []Grant{{Dispatcher, Partner}, {BackOffice, Tenant}}},
		{"GET", "/api/payment/v1/credit-notes/{number}", []Grant{{Dispatcher, Partner}, {BackOffice, Tenant}}},
		{"GET", "/api/payment/v1/credit-notes/{number}/pdf", []Grant{{Dispatcher, Partner}, {BackOffice, Tenant}}},
		{"GET", "/api/payment/v1/credit-notes/{number}/xml", []Grant{{Dispatcher, Partner}, {BackOffice, Tenant}}},
		{"POST", "/api/payment/v1/credit-notes/{number}/objection", []Grant{{Dispatcher, Partner}}},
		{"GET", "/api/payment/v1/ledger", []Grant{{BackOffice, Tenant}}},
		{"POST", "/api/payment/v1/statement-lines", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/payment/v1/statement-lines", []Grant{{BackOffice, Tenant}}},
		{"POST", "/api/payment/v1/statement-lines/{id}/assign", []Grant{{BackOffice, Tenant}}},

		{"POST", "/api/statistics/v1/events", public},

		// What the back office searches, looks after and looks up, in each service of its own.
		{"GET", "/api/identity/v1/users", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/identity/v1/audit", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/disposer/v1/search", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/disposer/v1/worklists", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/disposer/v1/audit", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/order/v1/search", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/order/v1/orders/{id}/record", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/order/v1/worklists", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/order/v1/audit", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/matching/v1/matches/{id}/choices", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/matching/v1/worklists", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/matching/v1/audit", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/payment/v1/search", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/payment/v1/worklists", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/payment/v1/audit", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/mailing/v1/mails", []Grant{{BackOffice, Tenant}}},
		{"POST", "/api/mailing/v1/mails/{id}/retry", []Grant{{BackOffice, Tenant}}},
		{"GET", "/api/mailing/v1/worklists", []Grant{{BackOffice, Tenant}}},
	}
}
