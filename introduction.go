package barnraise

import (
	"encoding/json"
	"errors"
	"fmt"
)

// MaxIntroductionAge is how old an introduction may be, in seconds (protocol 10.1).
const MaxIntroductionAge = 60 * 60

// ErrIntroduction is the error for an introduction that does not show that the server controls the URL.
var ErrIntroduction = errors.New("server does not prove control of its URL")

// Introduction is what a server signs at /.well-known/barnraise: that it is this server, at this URL (protocol 10.1).
type Introduction struct {
	Server   ServerID `json:"server"`
	URL      string   `json:"url"`
	Chain    string   `json:"chain"`
	Services Address  `json:"services"`
	Servers  Address  `json:"servers"`
	Block    uint64   `json:"block"` // the newest registry block it has seen
	Software string   `json:"software"`
	Hosts    []Hosted `json:"hosts"`
	Contact  string   `json:"contact,omitempty"`
	IssuedAt int64    `json:"iat"` // Unix seconds
}

// Hosted is a revision that a server says it runs.
type Hosted struct {
	Service  ServiceID `json:"service"`
	Revision uint32    `json:"revision"`
	Image    Digest    `json:"image"`
	Since    int64     `json:"since"` // Unix seconds
}

// Payload is the exact bytes to sign with [Sign] as [TypeServer].
func (i Introduction) Payload() []byte {
	if i.Hosts == nil {
		i.Hosts = []Hosted{}
	}
	b, err := json.Marshal(i)
	if err != nil {
		panic(err) // no member of Introduction can fail
	}
	return b
}

// CheckIntroduction reads the token that a server gave at its URL and reports whether it is that server's, for that registry
// and URL, and issued within the last hour of now, in Unix seconds. It fails with [ErrIntroduction], saying why.
func CheckIntroduction(s *Snapshot, server Server, token string, now int64) (Introduction, error) {
	wrong := func(err error) (Introduction, error) {
		return Introduction{}, fmt.Errorf("check introduction of server %d: %w: %w", server.ID, ErrIntroduction, err)
	}
	t, err := ParseToken(TypeServer, token)
	if err != nil {
		return wrong(err)
	}
	key, err := s.Key(server.ID, t.KeyID)
	if err != nil {
		return wrong(err)
	}
	if err := t.Verify(key); err != nil {
		return wrong(err)
	}
	var i Introduction
	if err := json.Unmarshal(t.Payload, &i); err != nil {
		return wrong(err)
	}
	switch {
	case i.Server != server.ID:
		return wrong(fmt.Errorf("it is of server %d", i.Server))
	case i.URL != server.URL:
		return wrong(fmt.Errorf("it is for %q, registered is %q", clip(i.URL), clip(server.URL)))
	case Registry{i.Chain, i.Services, i.Servers} != s.Registry:
		return wrong(fmt.Errorf("it is of another registry"))
	case i.IssuedAt < now-MaxIntroductionAge || i.IssuedAt > now+MaxIntroductionAge:
		return wrong(fmt.Errorf("it was issued %d s from now, at most an hour is taken", i.IssuedAt-now))
	}
	return i, nil
}

// Introduces is the server that a token says it introduces, zero where it is no introduction. Nothing is checked: that is for
// [CheckIntroduction], once it is known what is registered of that server.
func Introduces(token string) ServerID {
	t, err := ParseToken(TypeServer, token)
	if err != nil {
		return 0
	}
	var i Introduction
	if err := json.Unmarshal(t.Payload, &i); err != nil {
		return 0
	}
	return i.Server
}
