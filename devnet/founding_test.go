package devnet

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"barnraise"
	"barnraise/conformance"
	"barnraise/content"
	"barnraise/hosting"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/server"
)

// The founding example comes by itself to matrix and whisper three times and search once. Who hosts for others says for whom and
// why, and has pulled the image from its home.
func TestFounding(t *testing.T) {
	var mu sync.Mutex
	reasons := make(map[string]server.Step)
	n := up(t, Options{Barter: Founding(), Tell: func(id barnraise.ServerID, s server.Step) {
		mu.Lock()
		defer mu.Unlock()
		if s.Verb == hosting.Host {
			reasons[fmt.Sprint(id, s.Service)] = s
		}
	}})
	want := map[string][]barnraise.ServerID{"search": {1}, "matrix": {1, 2, 3}, "whisper": {1, 2, 3}}
	s := await(t, n, func(s *barnraise.Snapshot) bool {
		for name, hosts := range want {
			if !slices.Equal(s.Hosts(n.Network.Names[name]), hosts) {
				return false
			}
		}
		return true
	})
	mu.Lock()
	defer mu.Unlock()
	for i, m := range n.Servers {
		for name, hosts := range want {
			id := n.Network.Names[name]
			if !slices.Contains(hosts, m.ID) || slices.Contains(n.own(i), id) {
				continue
			}
			if step := reasons[fmt.Sprint(m.ID, id)]; step.Reason == "" || len(step.For) == 0 {
				t.Errorf("server %d hosts %s, and says %+v", m.ID, name, step)
			}
			_, r, _ := s.Active(id)
			if images, err := image.Open(filepath.Join(m.Data, "images")); err != nil || images.Check(r.Image) != nil {
				t.Errorf("server %d has not pulled %s (%v)", m.ID, name, err)
			}
		}
	}
}

// await polls the registry until something is so.
func await(t *testing.T, n *Net, so func(*barnraise.Snapshot) bool) *barnraise.Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for {
		s, err := n.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if so(s) {
			return s
		}
		select {
		case <-ctx.Done():
			for _, v := range s.Services() {
				t.Logf("%s is offered by %v", v.Name, s.Hosts(v.ID))
			}
			t.Fatal("the network does not come to where it should")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Many names may stand for one program, and a free rider's claims count for nobody.
func TestManyNamesAndAFreeRider(t *testing.T) {
	b := &Barter{Epoch: 2 * time.Second}
	for i := range 4 {
		name := fmt.Sprintf("whisper-%d", i)
		b.Services = append(b.Services, Service{Name: name, Program: "whisper", Home: i, Config: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))})
		b.Parties = append(b.Parties, Party{Rewards: []string{name}, Capacity: 4})
	}
	n := up(t, Options{Barter: b, With: []string{"freerider"}})
	await(t, n, func(s *barnraise.Snapshot) bool {
		for i := range 3 {
			if len(s.Hosts(n.Network.Names[fmt.Sprintf("whisper-%d", i)])) != 4 { // three that run it, and the claim
				return false
			}
		}
		return true
	})
	if runs := n.Servers[3].server.Hosts(); len(runs) != 1 {
		t.Errorf("the free rider runs %v, want its own alone", runs)
	}
}

// What passed here once is not tried again, and what did not is.
func TestGateIsOneForTheMachine(t *testing.T) {
	g := &gate{dir: filepath.Join(t.TempDir(), "gate"), busy: make(map[string]*sync.Mutex)}
	source, err := manifest.ReadSource("../services/whisper/service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	subject := conformance.Subject{Image: barnraise.Sum([]byte("image")), Manifest: source.Manifest}
	subject.Manifest.Image, subject.Manifest.Verifier = "whisper@"+subject.Image.String(), content.Sum(nil)
	passed := conformance.Report{
		Version: 1, Passed: true, Image: subject.Image, Platforms: []conformance.Platform{{Platform: image.Wasm, Manifest: subject.Image}},
	}
	tries := 0
	for _, found := range []error{conformance.ErrFailed, nil, conformance.ErrFailed} {
		g.real = func(context.Context, runtime.Runtime, conformance.Subject, []conformance.Answered) (conformance.Report, error) {
			tries++
			return passed, found
		}
		if _, err := g.try(t.Context(), nil, subject, nil); tries < 3 && (err == nil) != (tries == 2) {
			t.Errorf("try %d: %v", tries, err)
		}
	}
	if tries != 2 {
		t.Errorf("tried %d times, want 2", tries)
	}
	subject.Manifest.Description = "another"
	if _, err := g.try(t.Context(), nil, subject, nil); err == nil {
		t.Error("another manifest passes by the report of the first")
	}
}
