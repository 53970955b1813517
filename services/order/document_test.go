package order

import (
	"fmt"
	"testing"

	"kreislauf/internal/problem"
)

func TestKeep(t *testing.T) {
	o := in(t, Matched)
	photo := Document{SHA256: fmt.Sprintf("%064d", 0), Kind: "photo", Type: "image/jpeg", Size: 1}
	for range 2 {
		if err := o.keep(photo, after(2*day)); err != nil || len(o.Documents) != 1 || !o.Documents[0].At.Equal(at.Add(2*day)) {
			t.Fatalf("documents %+v, %v", o.Documents, err)
		}
	}
	slip := photo
	slip.Kind = "slip"
	refused(t, o, problem.Conflict, "as a photo", func(o *Order) error { return o.keep(slip, after(2*day)) })
	for i := 1; i < maxDocuments; i++ {
		next := photo
		next.SHA256 = fmt.Sprintf("%064d", i)
		if err := o.keep(next, after(2*day)); err != nil {
			t.Fatal(err)
		}
	}
	slip.SHA256 = fmt.Sprintf("%064d", maxDocuments)
	refused(t, o, problem.Conflict, "takes no more", func(o *Order) error { return o.keep(slip, after(2*day)) })
	if got := o.Documents[0].fileName(); got != "photo-00000000.jpg" {
		t.Errorf("a photo is called %q", got)
	}
}
