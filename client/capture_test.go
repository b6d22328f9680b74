package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/score"
)

// wireForm is a call as it is on the wire, to the byte (protocol 3.1).
func wireForm(url string) string {
	const body = `{"jsonrpc":"2.0","id":1,"method":"ask","params":[]}`
	return fmt.Sprintf("POST /v1/services/1/1 HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\nAccept: application/json\r\n"+
		"Content-Type: application/json\r\n\r\n%s", strings.TrimPrefix(url, "http://"), len(body), body)
}

// seenAs collects what servers on sockets see of calls, and the roles in which they are asked.
type seenAs struct {
	t           *testing.T
	sockets     []*socket
	roles       map[string]int
	asked, lost int // servers, and those who may have been given up before the request was written
}

func (s *seenAs) watch(call func() []Asked) {
	s.t.Helper()
	for _, a := range call() {
		s.roles[a.Role]++
		s.asked++
		if a.Why == errOutrun.Error() {
			s.roles["outrun"]++
			s.lost++
		}
	}
}

// check wants that servers saw one request for each time that one was asked, each of them the same bytes.
func (s *seenAs) check() {
	s.t.Helper()
	seen := 0
	for _, socket := range s.sockets {
		for _, raw := range socket.posted() {
			seen++
			if raw != wireForm(socket.m.base) {
				s.t.Errorf("server %d sees\n%q, want\n%q", socket.m.id, raw, wireForm(socket.m.base))
			}
		}
	}
	if seen > s.asked || seen < s.asked-s.lost {
		s.t.Errorf("%d requests were seen, servers were asked %d times, and %d perhaps in vain", seen, s.asked, s.lost)
	}
}

func ask(t *testing.T, c *Client, options ...CallOption) func() []Asked {
	return func() []Asked {
		a, err := c.Call(context.Background(), "oracle", "ask", nil, options...)
		var undecided *UndecidedError
		if errors.As(err, &undecided) {
			return undecided.Asked
		} else if err != nil {
			t.Fatal(err)
		}
		return a.Asked
	}
}

// Protocol 3.5: nothing in a request's bytes tells which place a server has, by what policy the caller acts, or what he wants
// beside the answer.
func TestProtocol3_5EveryRoleSeesTheSameBytes(t *testing.T) {
	exact, err := score.Exact(0.05)
	if err != nil {
		t.Fatal(err)
	}
	roles := make(map[string]int)
	for seed := range byte(8) {
		n := newNetwork(t, 6, "compare")
		s := &seenAs{t: t, sockets: n.onSockets(), roles: roles}
		c, _ := n.client(seed, loopback(), WithAnchors(5))
		for _, p := range []score.Policy{score.Default, score.Cheap, score.Paranoid, score.Fast, score.One, exact} {
			s.watch(ask(t, c, Under(p)))
		}
		s.watch(ask(t, c, Explained()))
		s.watch(ask(t, c, FallbackHome()))
		s.watch(ask(t, c, OnProvisional(func(*Answer) {})))
		remembering, _ := n.client(seed, loopback(), WithMemo(1<<20))
		for range 5 {
			s.watch(func() []Asked {
				a, err := remembering.Call(t.Context(), "oracle", "ask", nil)
				if err != nil {
					t.Fatal(err)
				}
				if a.Memo {
					roles["of whom memory is checked"] += a.Requests
				}
				return a.Asked
			})
		}
		n.members[seed%6].answer = func([]byte) []byte { return lie }
		s.watch(func() []Asked { return probe(t, c, 2).Asked })
		for range 6 {
			s.watch(ask(t, c))
		}
		s.check()
	}
	alone := newNetwork(t, 1, "compare")
	s := &seenAs{t: t, sockets: alone.onSockets(), roles: roles}
	c, _ := alone.client(1, loopback())
	s.watch(ask(t, c, FallbackHome()))
	s.check()
	s, c = slowNetwork(t, roles)
	for range 2 {
		s.watch(ask(t, c))
	}
	s.check()
	for _, role := range []string{"outrun", "of whom memory is checked", RolePrimary, RoleAuditor, RoleAnchor, RoleWitness} {
		if roles[role] == 0 {
			t.Errorf("nobody was asked as %s: %v", role, roles)
		}
	}
}

// slowNetwork is one whose servers were quick and are slow, all but one, so that some are asked beside others.
func slowNetwork(t *testing.T, roles map[string]int) (*seenAs, *Client) {
	n := newNetwork(t, 6, "compare")
	s := &seenAs{t: t, sockets: n.onSockets(), roles: roles}
	c, _ := n.client(1, loopback())
	for range 6 {
		s.watch(ask(t, c))
	}
	for _, m := range n.members[1:] {
		m.serve = func(_ http.ResponseWriter, r *http.Request) bool {
			select {
			case <-time.After(2 * leastPatience):
			case <-r.Context().Done():
			}
			return false
		}
	}
	return s, c
}

// The whole of what a server sees of a client, connection by connection, follows from how often it is asked: it is introduced, asked
// for what belongs to the revision, and then for answers, over one connection. Whether it is primary or auditor makes no difference.
func TestProtocol3_5ConnectionsTellNothing(t *testing.T) {
	for range 10 {
		n := newNetwork(t, 5, "compare")
		sockets := n.onSockets()
		c, _ := n.client(3, loopback())
		s := &seenAs{t: t, sockets: sockets, roles: make(map[string]int)}
		times := make(map[barnraise.ServerID]map[string]int)
		for range 40 {
			s.watch(func() []Asked {
				asked := ask(t, c)()
				for _, a := range asked {
					if times[a.Server] == nil {
						times[a.Server] = make(map[string]int)
					}
					times[a.Server][a.Role]++
				}
				return asked
			})
		}
		if s.lost > 0 {
			continue // this machine was too busy: who takes long is hung up on
		}
		mixed := 0
		for _, socket := range sockets {
			socket.tellsNothing(t, times[socket.m.id])
			if len(times[socket.m.id]) > 1 {
				mixed++
			}
		}
		if mixed == 0 {
			t.Error("no server was asked in two roles")
		}
		return
	}
	t.Skip("this machine is too busy to ask without delay")
}

// tellsNothing wants nothing in what the server saw but as many calls as it was asked in all roles, after what comes first.
func (s *socket) tellsNothing(t *testing.T, roles map[string]int) {
	t.Helper()
	count := 0
	for _, times := range roles {
		count += times
	}
	var got []string
	for _, requests := range s.transcript() {
		for i, r := range requests {
			first, _, _ := strings.Cut(r, "\r\n")
			introduction := first == "GET "+wellKnown+" HTTP/1.1" && i == 0
			if !introduction && (!strings.HasPrefix(first, "GET /ipfs/") || len(got) > 0) {
				got = append(got, r)
			}
		}
	}
	if !slices.Equal(got, slices.Repeat([]string{wireForm(s.m.base)}, count)) {
		t.Errorf("server %d, asked as %v, saw %q", s.m.id, roles, got)
	}
	if len(s.transcript()) > 2 { // one for what belongs to the revision, perhaps beside it one for calls
		t.Errorf("server %d was asked over %d connections", s.m.id, len(s.transcript()))
	}
}

// Who asks for an introduction, a manifest or a verifier says no more of himself, and hands over evidence without a name.
func TestOtherRequestsSayNoMore(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	sockets := n.onSockets()
	c, _ := n.client(1, loopback())
	ask(t, c)()
	s, _ := n.Snapshot(t.Context())
	v, _ := s.Server(1)
	if err := c.postEvidence(t.Context(), v, []byte("{}")); err == nil {
		t.Error("a server without a place for evidence took it")
	}
	host := strings.TrimPrefix(v.URL, "http://")
	revision := n.services[0].Revisions[0]
	allowed := []string{
		"GET " + wellKnown + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
		"POST /v1/evidence HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}",
		wireForm(v.URL),
	}
	for _, id := range []barnraise.CID{revision.Manifest, revision.Verifier} {
		allowed = append(allowed, "GET /ipfs/"+string(id)+"?format=raw HTTP/1.1\r\nHost: "+host+"\r\nAccept: application/vnd.ipld.raw\r\n\r\n")
	}
	for _, requests := range sockets[0].transcript() {
		for _, r := range requests {
			if !slices.Contains(allowed, r) {
				t.Errorf("it saw %q", r)
			}
		}
	}
}
