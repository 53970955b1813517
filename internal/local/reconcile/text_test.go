package reconcile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/local/reconcile"
)

func TestText(t *testing.T) {
	one := []reconcile.Finding{{Text: "order o-1: it is weighed and has no invoice"}}
	for name, tc := range map[string]struct {
		r     reconcile.Report
		want  string
		clean bool
	}{
		"clean": {
			reconcile.Report{Orders: 3, Invoices: 2, CreditNotes: 2},
			"reconcile: 3 orders, 2 invoices, 2 credit notes, ledger 0.00, clean\n", true,
		},
		"under way": {
			reconcile.Report{Orders: 1, UnderWay: one},
			"under way: order o-1: it is weighed and has no invoice\n" +
				"reconcile: 1 orders, 0 invoices, 0 credit notes, ledger 0.00, clean (1 things under way)\n", true,
		},
		"differences": {
			reconcile.Report{Orders: 1, Differences: one},
			"order o-1: it is weighed and has no invoice\nreconcile: 1 differences\n", false,
		},
		"unreadable": {
			reconcile.Report{Unreadable: []error{errors.New("payment: no answer")}},
			"UNREADABLE: payment: no answer\nreconcile: 1 things could not be read, 0 differences in the rest\n", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := tc.r.WriteText(&b); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, b.String()); d != "" || tc.r.Clean() != tc.clean {
				t.Errorf("clean %t (-want +got):\n%s", tc.r.Clean(), d)
			}
		})
	}
}
