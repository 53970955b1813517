package identity

// Details are what a company is billed by.
type Details struct {
	Name     string `json:"name" bson:"name"`     // with legal form, as printed on invoices
	Street   string `json:"street" bson:"street"` // with house number
	Postcode string `json:"postcode" bson:"postcode"`
	City     string `json:"city" bson:"city"`
	Email    string `json:"email" bson:"email"`                       // where invoices go
	VATID    string `json:"vat_id,omitempty" bson:"vat_id,omitempty"` // "DE123456788"
}
