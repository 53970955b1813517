package order_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/clock"
	"kreislauf/services/order"
)

// found are the orders that a search finds, by id.
func (f *fixture) found(t *testing.T, typed string) []string {
	t.Helper()
	ids := []string{}
	for _, o := range f.ask(t, f.office, "GET", "/api/order/v1/search?q="+url.QueryEscape(typed), nil, 200)["orders"].([]any) {
		ids = append(ids, o.(map[string]any)["order_id"].(string))
	}
	return ids
}

func TestBackOfficeFindsOrders(t *testing.T) {
	f := start(t)
	id := f.place(t, f.anna)
	f.accept(t, id)
	f.ask(t, f.dispatcher, "POST", jobs+"/"+id+"/on-site", map[string]any{"container": "EK 4711-7"}, 200)
	for typed, want := range map[string][]string{
		id: {id}, id[:6]: {id}, "ek4711": {id}, "EK 4711-7": {id}, "anna": {id}, "Beispiel, Anna": {id}, "50667 hauptstrasse": {id}, "u-anna": {id},
		"EK 4712": {}, "anna muster": {}, "hauptstr": {}, "u-bert": {}, "o-zzzzzz": {}, "---": {}, ".*anna.*": {id},
	} {
		if diff := cmp.Diff(want, f.found(t, typed)); diff != "" {
			t.Errorf("search for %q (-want +got):\n%s", typed, diff)
		}
	}
	f.ask(t, f.office, "GET", "/api/order/v1/search?q=ab", nil, 422)
	for _, path := range []string{"/api/order/v1/search?q=anna", orders + "/" + id + "/record", "/api/order/v1/worklists", "/api/order/v1/audit?subject=order/" + id} {
		f.ask(t, f.anna, "GET", path, nil, 403)
		f.ask(t, f.dispatcher, "GET", path, nil, 403)
		f.ask(t, f.driver, "GET", path, nil, 403)
	}
	f.ask(t, f.office, "GET", orders+"/o-aaaaaaaaaaaaaaaa/record", nil, 404)
}

// TestBackOfficeIsWrittenDown: who looks at an order leaves one entry an hour, and who has seen an older state changes nothing.
func TestBackOfficeIsWrittenDown(t *testing.T) {
	f := start(t)
	id := f.place(t, f.anna)
	seen := f.ask(t, f.office, "GET", orders+"/"+id+"/record", nil, 200)
	f.ask(t, f.office, "GET", orders+"/"+id+"/record", nil, 200)
	f.accept(t, id)
	if now := f.ask(t, f.office, "GET", orders+"/"+id+"/record", nil, 200); now["version"] == seen["version"] || now["pay"] == nil || now["user_id"] != "u-anna" {
		t.Errorf("record before %v, after %v", seen, now)
	}
	reason := map[string]any{"reason": "the customer called"}
	f.ask(t, f.office, "POST", orders+"/"+id+"/cancel", reason, 409, "If-Match", `"1"`)
	f.ask(t, f.office, "POST", orders+"/"+id+"/cancel", reason, 400, "If-Match", `"x"`)
	f.ask(t, f.office, "POST", orders+"/"+id+"/cancel", reason, 200, "If-Match", `W/"2"`)
	f.ask(t, f.office, "POST", orders+"/"+id+"/cancel", reason, 200, "If-Match", `"2"`) // the same again
	f.await(t, f.anna, id, order.Cancelled)
	var operations []string
	for deadline := time.Now().Add(time.Minute); len(operations) < 2 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		operations = nil
		for _, e := range f.ask(t, f.office, "GET", "/api/order/v1/audit?subject=order/"+id, nil, 200)["entries"].([]any) {
			operations = append(operations, e.(map[string]any)["operation"].(string))
		}
	}
	if got := strings.Join(operations, " "); got != "order.cancel order.look" && got != "order.cancel order.look order.look" { // the hour may have changed
		t.Errorf("audit trail: %s", got)
	}
}

// TestWorklists: what has waited too long is counted, with since when.
func TestWorklists(t *testing.T) {
	f := start(t)
	shift := filepath.Join(t.TempDir(), "clock")
	f.addr = f.Run(t, "order-2", map[string]string{clock.Setting: shift})
	counts := func() map[string]any {
		t.Helper()
		m := map[string]any{}
		for _, l := range f.ask(t, f.office, "GET", "/api/order/v1/worklists", nil, 200)["worklists"].([]any) {
			list := l.(map[string]any)
			m[list["name"].(string)] = list["count"]
		}
		return m
	}
	compare := func(when string, unmatched, overdue, unweighed, uninvoiced float64) {
		t.Helper()
		want := map[string]any{"unmatched": unmatched, "overdue-placing": overdue, "not-weighed": unweighed, "not-invoiced": uninvoiced}
		if diff := cmp.Diff(want, counts()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	collected, matched := f.place(t, f.anna), f.place(t, f.anna)
	f.accept(t, collected)
	f.accept(t, matched)
	f.ask(t, f.dispatcher, "POST", jobs+"/"+collected+"/on-site", map[string]any{"container": "EK 1"}, 200)
	f.ask(t, f.dispatcher, "POST", jobs+"/"+collected+"/collected", map[string]any{}, 200)
	compare("today", 0, 0, 0, 0)
	if err := os.WriteFile(shift, []byte("720h"), 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); counts()["overdue-placing"] != 1.0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
	}
	compare("a month later", 0, 1, 1, 0)
	list := f.ask(t, f.office, "GET", "/api/order/v1/worklists?list=not-weighed", nil, 200)
	items := list["items"].([]any)
	if len(items) != 1 || items[0].(map[string]any)["order_id"] != collected || len(list["worklists"].([]any)) != 1 {
		t.Errorf("not weighed: %v", list)
	}
	f.ask(t, f.office, "GET", "/api/order/v1/worklists?list=moon", nil, 422)
}
