package server

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"barnraise/barter"
	"barnraise/manifest"
)

// Every knob of the planner can be turned in server.yaml, under its name in snake case, and gets there.
func TestPolicyHasAllOfBarter(t *testing.T) {
	knobs := reflect.TypeFor[barter.Policy]()
	for f := range knobs.Fields() {
		var name strings.Builder
		for i, c := range f.Name {
			if i > 0 && c >= 'A' && c <= 'Z' {
				name.WriteByte('_')
			}
			name.WriteString(strings.ToLower(string(c)))
		}
		ours, ok := reflect.TypeFor[Policy]().FieldByName(f.Name)
		if !ok || ours.Tag.Get("json") != name.String() || ours.Type != f.Type {
			t.Errorf("server.yaml has no %s: %+v", name.String(), ours)
			continue
		}
		var p Policy
		v := reflect.ValueOf(&p).Elem().FieldByIndex(ours.Index)
		if v.CanFloat() {
			v.SetFloat(7)
		} else if v.CanUint() {
			v.SetUint(7)
		} else {
			v.SetInt(7)
		}
		if got := reflect.ValueOf(p.Barter()).FieldByIndex(f.Index); !got.Equal(v) {
			t.Errorf("%s arrives as %v", f.Name, got)
		}
	}
	if p := DefaultPolicy(); p.Barter() != barter.Default || p.check() != nil || (Policy{}).orDefault() != p {
		t.Errorf("default is %+v: %v", p, p.check())
	}
}

func TestPolicy(t *testing.T) {
	for want, spoil := range map[string]func(*Policy){
		"":                        func(p *Policy) { p.Egress = "socks5://127.0.0.1:9050" },
		"egress: \"127.0.0.1:9\"": func(p *Policy) { p.Egress = "127.0.0.1:9" },
		"egress: \"0.0.0.0\"":     func(p *Policy) { p.Egress = "0.0.0.0" },
		"egress: \"ftp://x\"":     func(p *Policy) { p.Egress = "ftp://x" },
		"egress: \"http://\"":     func(p *Policy) { p.Egress = "http://" },
		"epoch: 1ms":              func(p *Policy) { p.Epoch = manifest.Duration(time.Millisecond) },
		"epoch: 1000h":            func(p *Policy) { p.Epoch = manifest.Duration(1000 * time.Hour) },
		"replicas: 0":             func(p *Policy) { p.Replicas = 0 },
		"deficit: -1":             func(p *Policy) { p.Deficit = -1 },
		"hysteresis: -1":          func(p *Policy) { p.Hysteresis = -1 },
		"residency: 1e+09":        func(p *Policy) { p.Residency = 1e9 },
		"grace: 1e+09":            func(p *Policy) { p.Grace = 1e9 },
		"patience: 1e+09":         func(p *Policy) { p.Patience = 1e9 },
		"seed_share: 1.5":         func(p *Policy) { p.SeedShare = 1.5 },
		"newcomer: 1e+09":         func(p *Policy) { p.Newcomer = 1e9 },
		"reciprocity: -1":         func(p *Policy) { p.Reciprocity = -1 },
		"dear: 0":                 func(p *Policy) { p.Dear = 0 },
		"confirmed: 0":            func(p *Policy) { p.Confirmed = 0 },
	} {
		p := DefaultPolicy()
		spoil(&p)
		err := p.check()
		if (err == nil) != (want == "") || err != nil && (!strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "want")) {
			t.Errorf("error is %v, want one with %q", err, want)
		}
	}
	p := DefaultPolicy()
	for _, address := range []string{"192.0.2.7", "2001:db8::1", "http://user:word@proxy.example:3128"} {
		if p.Egress = address; p.check() != nil {
			t.Error(p.check())
		}
	}
}
