package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"barnraise/client"
	"barnraise/devnet"
	"barnraise/dial"
	"barnraise/jsonrpc"
)

// The second chapter of the demo: a question, a lie, and what comes of it.

// What the demo asks: its answer everybody can judge.
const (
	method   = "markdown_html"
	question = `{"text":"If you run *my* service, I will run *yours*."}`
	answered = "<em>yours</em>"
)

// call makes a verified call and counts it.
func (s *story) call(ctx context.Context) (*client.Answer, error) {
	answer, err := s.client.Call(ctx, "markdown", method, []byte(question))
	if err != nil {
		return nil, err
	}
	s.told.Requests += answer.Requests
	s.told.Answers++
	for _, server := range answer.Struck {
		if !slices.ContainsFunc(s.told.Convictions, func(c conviction) bool { return c.Server == server }) {
			s.told.Convictions = append(s.told.Convictions, conviction{server, answer.Evidence})
		}
	}
	return answer, nil
}

func (s *story) ask(ctx context.Context) (string, error) {
	answer, err := s.call(ctx)
	if err != nil {
		return "", err
	}
	var page struct {
		HTML string `json:"html"`
	}
	if err := answer.Decode(&page); err != nil {
		return "", err
	}
	s.truth = answer.Result
	if !strings.Contains(page.HTML, answered) {
		return "", fmt.Errorf("%q has no %s", page.HTML, answered)
	}
	return fmt.Sprintf("asked markdown %s: %d servers signed the same answer, the verifier accepted it\n%s",
		question, answer.Requests, strings.TrimSpace(page.HTML)), nil
}

// lie lets C begin to lie, and shows what somebody would read who believes it.
func (s *story) lie(ctx context.Context) (string, error) {
	s.liar.Lie(true)
	lie, err := s.believe(ctx, s.liar)
	if err != nil {
		return "", err
	}
	at := 0
	for at < min(len(lie), len(s.truth)) && lie[at] == s.truth[at] {
		at++
	}
	if at == len(lie) || len(lie) != len(s.truth) {
		return "", errors.New("the turncoat does not lie")
	}
	from, to := max(0, at-12), min(len(lie), at+12)
	return fmt.Sprintf("C, which hosts markdown for others, begins to lie, by one byte. Who believes it reads …%s… where the truth is …%s…", lie[from:to], s.truth[from:to]), nil
}

// believe asks one server as any HTTP client would, and checks nothing.
func (s *story) believe(ctx context.Context, m devnet.Member) (json.RawMessage, error) {
	request, err := jsonrpc.NewRequest(method, []byte(question))
	if err != nil {
		return nil, err
	}
	url := fmt.Sprintf("%s/v1/services/%d/1", m.URL, s.net.Network.Names["markdown"])
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := dial.Client(true, time.Minute).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	r, err := jsonrpc.ParseResponse(body, jsonrpc.WireID)
	return json.RawMessage(r.Result), err
}

func (s *story) catch(ctx context.Context) (string, error) {
	for range 10 {
		answer, err := s.call(ctx)
		if err != nil {
			return "", err
		}
		if !bytes.Equal(answer.Result, s.truth) {
			return "", errors.New("a verified call returned the lie")
		}
		if len(answer.Struck) == 0 {
			continue // C was not asked
		}
		var told []string
		for _, v := range answer.Asked {
			told = append(told, fmt.Sprintf("%s %s (%s)", s.letter(v.Server), v.Outcome, v.Role))
		}
		if len(answer.Struck) != 1 || answer.Struck[0] != s.liar.ID {
			return "", fmt.Errorf("struck are %v, the liar is %d", answer.Struck, s.liar.ID)
		}
		return fmt.Sprintf("the same call, verified, returns the truth, and C is caught: %s\nthe image was run here to know who is right; evidence: %s",
			strings.Join(told, ", "), answer.Evidence), nil
	}
	return "", errors.New("in ten calls the liar was not asked once")
}

func (s *story) avoid(ctx context.Context) (string, error) {
	const calls = 5
	for range calls {
		answer, err := s.call(ctx)
		if err != nil {
			return "", err
		}
		if answer.Asked[0].Server == s.liar.ID {
			return "", errors.New("the liar was asked first again")
		}
	}
	return fmt.Sprintf("C's word has lost its weight: in %d more calls it was never asked first", calls), nil
}
