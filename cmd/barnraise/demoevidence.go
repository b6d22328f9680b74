package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"barnraise"
)

// The last chapter of the demo: evidence that stands on its own.

// fresh runs this program again, in a process that knows nothing but the files. What it says where it finds nothing is an
// error.
func (s *story) fresh(ctx context.Context, evidence string) (r recheckResult, code int, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, 0, err
	}
	if evidence, err = filepath.Abs(evidence); err != nil {
		return r, 0, err
	}
	c := exec.CommandContext(ctx, self, "verify", evidence, "--re-execute", "--json", "--network", s.net.File, "--cache", s.cache)
	c.Dir = os.TempDir()
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code, err = exit.ExitCode(), nil
		if len(out) == 0 {
			err = fmt.Errorf("a fresh process fails: %s", bytes.TrimSpace(exit.Stderr))
		}
	}
	if err != nil {
		return r, code, err
	}
	return r, code, json.Unmarshal(out, &r)
}

// recheck has each piece of evidence looked at.
func (s *story) recheck(ctx context.Context) (string, error) {
	var wrong []barnraise.ServerID
	for _, c := range s.told.Convictions {
		r, code, err := s.fresh(ctx, c.Evidence)
		if err != nil {
			return "", err
		}
		if code != 0 || !r.Holds || len(r.Culprits) != 1 || r.Culprits[0] != c.Server {
			return "", fmt.Errorf("of %s a fresh process finds: holds %v, culprits %v, exit code %d", c.Service, r.Holds, r.Culprits, code)
		}
		wrong = append(wrong, c.Server)
	}
	return fmt.Sprintf("a fresh process rechecks each piece of evidence, and runs the image too, so that it need not believe a verifier: %s were wrong", s.letters(wrong)), nil
}

func (s *story) tamper(ctx context.Context) (string, error) {
	b, err := os.ReadFile(s.told.Convictions[0].Evidence)
	if err != nil {
		return "", err
	}
	b[len(b)/2] ^= 1
	forged := filepath.Join(s.dir, "tampered.json")
	if err := os.WriteFile(forged, b, 0o600); err != nil {
		return "", err
	}
	r, code, err := s.fresh(ctx, forged)
	if err != nil {
		return "", err
	}
	if code != exitEvidence || r.Holds {
		return "", fmt.Errorf("evidence with an altered byte: holds %v, exit code %d", r.Holds, code)
	}
	return "evidence with one altered byte does not hold: nobody can be slandered", nil
}
