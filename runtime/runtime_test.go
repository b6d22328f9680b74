package runtime

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise/jsonrpc"
	"barnraise/manifest"
)

var limits = manifest.Limits{Request: 100, Response: 100}

func TestCheckRequest(t *testing.T) {
	pad := func(n int) string {
		s := `{"jsonrpc":"2.0","id":1,"method":"m","params":[""]}`
		return strings.Replace(s, `""`, `"`+strings.Repeat("x", n-len(s))+`"`, 1)
	}
	for _, c := range []struct {
		request, id string
		want        error
	}{
		{`{"jsonrpc":"2.0","id":1,"method":"m","params":[]}`, "1", nil},
		{`{"jsonrpc":"2.0","method":"m","id":"a\u0062"}`, `"a\u0062"`, nil},
		{pad(100), "1", nil},
		{pad(101), "", ErrRequest},
		{`[{"jsonrpc":"2.0","id":1,"method":"m"}]`, "", jsonrpc.ErrBatch},
		{`{"jsonrpc":"2.0","method":"m"}`, "", jsonrpc.ErrNotification},
		{``, "", jsonrpc.ErrSyntax},
	} {
		if id, err := CheckRequest(limits, []byte(c.request)); !errors.Is(err, c.want) || string(id) != c.id {
			t.Errorf("CheckRequest(%s) = %s, %v, want %s, %v", c.request, id, err, c.id, c.want)
		}
	}
}

// Protocol 3.3 and 3.4: what is an answer.
func TestCheckResponse(t *testing.T) {
	for response, ok := range map[string]bool{
		`{"jsonrpc":"2.0","id":7,"result":null}`:                                true,
		`{"id":7,"result":{"a":[1]},"jsonrpc":"2.0"}`:                           true,
		`{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"no"}}`:       true,
		`{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"internal"}}`: false,
		`{"jsonrpc":"2.0","id":8,"result":null}`:                                false,
		`{"jsonrpc":"2.0","id":7}`:                                              false,
		`{"jsonrpc":"2.0","id":7,"result":null,"extra":1}`:                      false,
		`{"jsonrpc":"2.0","id":7,"result":{"a":1,"a":2}}`:                       false,
		`{"jsonrpc":"2.0","id":7,"result":null} x`:                              false,
		`{"jsonrpc":"2.0","id":7,"result":"` + strings.Repeat("x", 64) + `"}`:   true, // 100 bytes
		`{"jsonrpc":"2.0","id":7,"result":"` + strings.Repeat("x", 65) + `"}`:   false,
		"\xef\xbb\xbf" + `{"jsonrpc":"2.0","id":7,"result":null}`:               false,
		``: false,
	} {
		err := CheckResponse(limits, []byte("7"), []byte(response))
		if (err == nil) != ok || err != nil && !errors.Is(err, ErrBroke) {
			t.Errorf("CheckResponse(%s) = %v", response, err)
		}
	}
}

// only runs one platform.
type only struct {
	Instance
	platform string
	err      error
}

func (o *only) Platforms(context.Context) []string { return []string{o.platform} }

func (o *only) Start(context.Context, Spec) (Instance, error) {
	if o.err != nil {
		return nil, o.err
	}
	return o, nil
}

func TestAny(t *testing.T) {
	cannot, broken, able := &only{platform: "a", err: ErrCannot}, &only{platform: "b", err: ErrBroke}, &only{platform: "c"}
	all := Any{cannot, able, broken}
	if got := all.Platforms(t.Context()); !slices.Equal(got, []string{"a", "c", "b"}) {
		t.Errorf("platforms %v", got)
	}
	if i, err := all.Start(t.Context(), Spec{}); i != able || err != nil {
		t.Errorf("%v, %v: want the first that can", i, err)
	}
	if _, err := (Any{cannot, broken, able}).Start(t.Context(), Spec{}); !errors.Is(err, ErrBroke) || errors.Is(err, ErrCannot) {
		t.Errorf("%v: a service that fails to start fails", err)
	}
	foreign := &only{platform: "d", err: ErrPlatform}
	if _, err := (Any{foreign, cannot, foreign}).Start(t.Context(), Spec{}); !errors.Is(err, ErrCannot) || errors.Is(err, ErrPlatform) {
		t.Errorf("%v, want the reason of the one whose platform it is", err)
	}
	for _, none := range []Any{{foreign, foreign}, nil} {
		if _, err := none.Start(t.Context(), Spec{}); !errors.Is(err, ErrPlatform) {
			t.Errorf("%v, want ErrPlatform", err)
		}
	}
}

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1)
		if err := turns.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := turns.Enter(soon); !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second at once: %v", err)
		}
		waits := make(chan error, 1)
		go func() { waits <- turns.Enter(t.Context()) }()
		synctest.Wait()
		cleaned := 0
		stopped := make(chan error, 1)
		go func() { stopped <- turns.Stop(t.Context(), func() { cleaned++ }) }()
		if err := <-waits; !errors.Is(err, ErrNotReady) {
			t.Errorf("who waits while it is stopped: %v", err)
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := turns.Stop(gone, nil); !errors.Is(err, context.DeadlineExceeded) || !turns.Stopped() {
			t.Errorf("stop that does not wait: %v", err)
		}
		turns.Leave()
		synctest.Wait()
		if cleaned != 0 {
			t.Error("cleaned up though somebody is inside")
		}
		turns.Done()
		if err := errors.Join(<-stopped, turns.Stop(t.Context(), nil)); err != nil || cleaned != 1 {
			t.Errorf("stop: %v, cleaned up %d times", err, cleaned)
		}
		if err := turns.Enter(t.Context()); !errors.Is(err, ErrNotReady) {
			t.Errorf("after Stop: %v", err)
		}
	})
}
