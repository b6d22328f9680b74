package server

import (
	"context"
	"io"
	"net/http"
	"slices"
	"testing"

	"barnraise"
	"barnraise/store"
)

// What one server's probe finds is kept there, handed to the home and to other hosts after a while, executed by them and held
// against the liar; and whoever asks a server for evidence is answered (protocol 8). All of it with servers as they run.
func TestEvidenceReachesOthers(t *testing.T) {
	const liar = 4
	play(t, 5, liar, func(u *universe) { u.shares = true }, func(u *universe) {
		u.after(10, nil) // until there are hosts to hand it to
		u.nodes[liar-1].lies = true
		for epochs := 0; u.travelled(liar) < 2; epochs++ {
			if epochs == 24 {
				u.failed("no piece of evidence against server %d convicts it at two servers", liar)
			}
			u.after(1, nil)
		}
		for _, n := range u.nodes[:liar-1] {
			if status, body := n.get(t, "/v1/evidence?limit=10"); status != http.StatusOK {
				u.failed("server %d answers %d %s to who asks for evidence", n.id, status, body)
			}
		}
		u.settled()
	})
}

// travelled counts the servers, other than the liar, at which one and the same piece of evidence convicts it by own execution: of
// the piece that went furthest. What two servers found by themselves are two pieces.
func (u *universe) travelled(liar barnraise.ServerID) (most int) {
	at := make(map[barnraise.Digest]int)
	for _, n := range u.nodes {
		list, err := n.life.kept.List(context.Background(), store.EvidenceFilter{State: store.Held})
		if err != nil {
			u.t.Fatal(err)
		}
		for _, i := range list {
			if n.id != liar && slices.Contains(i.Proves, liar) {
				at[i.Digest]++
				most = max(most, at[i.Digest])
			}
		}
	}
	return most
}

func (n *node) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	resp, err := (&http.Client{Transport: n.wires(nil)}).Get("http://" + n.address() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
