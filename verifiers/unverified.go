package verifiers

import (
	"bytes"
	"errors"

	"barnraise"

	"github.com/go-json-experiment/json/jsontext"
)

// all stands for the whole response.
const all = ""

// Unverified lists what a verifier leaves open in a response that it has accepted: JSON pointers to values for which nobody
// vouches but the server that answered, within the bounds of [Tolerated]; the empty pointer, which is all of the
// response, where that cannot be told. Of a verifier that is none of this package nothing is known, and nothing listed.
func Unverified(c barnraise.CID, config, response []byte) []string {
	var list []string
	var err error
	switch {
	case c == cids["json"]:
		list, err = Tolerated(config, response)
	case c == cids["hash-target"]:
		list, err = besideProof(response)
	}
	if err != nil {
		return []string{all}
	}
	return list
}

// errNoProof is the error for a response without an object that a nonce could stand in.
var errNoProof = errors.New("the result is no object")

// besideProof lists the members of the result that are not its nonce: the proof covers nothing else. Where they are too many,
// it is the result.
func besideProof(response []byte) (list []string, err error) {
	d := jsontext.NewDecoder(bytes.NewReader(response))
	if err := find(d, "result"); err != nil {
		return nil, err
	}
	if d.PeekKind() != '{' {
		return nil, errNoProof
	}
	size := 0
	err = members(d, func(name string) (bool, error) {
		if name != "nonce" {
			p := string(jsontext.Pointer("/result").AppendToken(name))
			list, size = append(list, p), size+len(p)
		}
		if len(list) > MaxTolerated || size > MaxToleratedBytes {
			list = []string{"/result"}
			return false, nil
		}
		return true, d.SkipValue()
	})
	return list, err
}

// find goes to the value of a member of the object that comes next.
func find(d *jsontext.Decoder, name string) error {
	found := false
	err := members(d, func(n string) (bool, error) {
		if found = n == name; found {
			return false, nil
		}
		return true, d.SkipValue()
	})
	if err == nil && !found {
		err = errNoProof
	}
	return err
}

// members calls visit after each name of the object that comes next, until it says that this is enough. Visit passes the value.
func members(d *jsontext.Decoder, visit func(name string) (more bool, err error)) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		if more, err := visit(token.String()); err != nil || !more {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}
