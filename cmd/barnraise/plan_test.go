package main

import "testing"

// FuzzParseConfirmed: no bytes make it panic, and no offer is of nobody or of nothing.
func FuzzParseConfirmed(f *testing.F) {
	f.Add([]byte(`[{"server":2,"service":1}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		confirmed, err := parseConfirmed(b)
		if err != nil {
			return
		}
		for o := range confirmed {
			if o.Server == 0 || o.Service == 0 {
				t.Errorf("%+v", o)
			}
		}
	})
}
