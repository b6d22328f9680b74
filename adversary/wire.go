package adversary

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"strings"

	"barnraise"
)

// truncates cuts answers off, in each way in turn.
func truncates(g Given) act {
	ways := []func(w http.ResponseWriter, said *answer, r barnraise.Receipt){
		func(w http.ResponseWriter, said *answer, _ barnraise.Receipt) { // it hangs up before the length it said
			said.head(w)
			_, _ = w.Write(said.body[:len(said.body)/2])
			panic(http.ErrAbortHandler)
		},
		func(w http.ResponseWriter, said *answer, r barnraise.Receipt) { // whole for HTTP, short of its receipt
			half := said.body[:len(said.body)/2]
			token := said.header.Get(receiptHeader)
			said.become(half, r, g.Key)
			said.header.Set(receiptHeader, token)
			said.send(w)
		},
		func(w http.ResponseWriter, said *answer, r barnraise.Receipt) { // signed as it is, and no JSON
			said.become(said.body[:len(said.body)/2], r, g.Key)
			said.send(w)
		},
		func(w http.ResponseWriter, said *answer, _ barnraise.Receipt) { // in chunks, the last of which never comes
			said.header.Del("Content-Length")
			said.head(w)
			_, _ = w.Write(said.body)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	}
	var turn turns
	return func(c *call) {
		said := c.honest()
		if r, ok := said.receipt(); ok {
			ways[turn.take(len(ways))](c.w, said, r)
			return
		}
		said.send(c.w)
	}
}

// badReceipt sends the truth with receipts that are good for nothing, in each way in turn.
func badReceipt(g Given) act {
	_, stranger, _ := ed25519.GenerateKey(nil)
	ways := []func(r barnraise.Receipt, token string) []string{
		func(barnraise.Receipt, string) []string { return nil },
		func(_ barnraise.Receipt, token string) []string { return []string{token, token} },
		func(_ barnraise.Receipt, token string) []string { return []string{forged(token)} },
		func(r barnraise.Receipt, _ string) []string { return []string{r.Sign(stranger)} },
		func(r barnraise.Receipt, token string) []string { return []string{under(token, kid(stranger), g.Key)} },
		func(r barnraise.Receipt, token string) []string { return []string{unsigned(token)} },
		func(r barnraise.Receipt, _ string) []string { r.Request[0] ^= 1; return []string{r.Sign(g.Key)} },
		func(r barnraise.Receipt, _ string) []string { r.Response[0] ^= 1; return []string{r.Sign(g.Key)} },
		func(r barnraise.Receipt, _ string) []string { r.Server++; return []string{r.Sign(g.Key)} },
		func(r barnraise.Receipt, _ string) []string { r.Revision++; return []string{r.Sign(g.Key)} },
		func(r barnraise.Receipt, _ string) []string { r.Image[0] ^= 1; return []string{r.Sign(g.Key)} },
		func(r barnraise.Receipt, _ string) []string { r.Block += 1 << 20; return []string{r.Sign(g.Key)} },
	}
	var turn turns
	return func(c *call) {
		said := c.honest()
		if r, ok := said.receipt(); ok {
			said.header[receiptHeader] = ways[turn.take(len(ways))](r, said.header.Get(receiptHeader))
		}
		said.send(c.w)
	}
}

// forged is a token with one bit of its signature changed.
func forged(token string) string {
	head, payload, signature := parts(token)
	signature[0] ^= 1
	return join(head, payload) + "." + encode(signature)
}

// under is the same payload signed by a key whose name stands not in it.
func under(token, kid string, key ed25519.PrivateKey) string {
	_, payload, _ := parts(token)
	signed := join([]byte(`{"alg":"EdDSA","kid":"`+kid+`","typ":"`+barnraise.TypeReceipt+`"}`), payload)
	return signed + "." + encode(ed25519.Sign(key, []byte(signed)))
}

// unsigned is the same payload under the algorithm that is none.
func unsigned(token string) string {
	_, payload, _ := parts(token)
	return join([]byte(`{"alg":"none"}`), payload) + "."
}

func kid(key ed25519.PrivateKey) string { return barnraise.PublicKey(key[32:]).ID() }

func parts(token string) (head, payload, signature []byte) {
	var raw [3][]byte
	for i, part := range strings.SplitN(token, ".", 3) {
		raw[i], _ = base64.RawURLEncoding.DecodeString(part) // the server's own token
	}
	return raw[0], raw[1], raw[2]
}

func join(head, payload []byte) string { return encode(head) + "." + encode(payload) }

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
