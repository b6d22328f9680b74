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

	"barnraise"
	"barnraise/client"
	"barnraise/devnet"
	"barnraise/dial"
	"barnraise/jsonrpc"
	"barnraise/score"
)

// The second chapter of the demo, told of each service: a question, a lie, and what comes of it.

// outcome is what came of a verified call, be it that it failed closed.
type outcome struct {
	result   json.RawMessage // nil where it failed
	asked    []client.Asked
	evidence string
}

// struck are the servers that the call caught.
func (o outcome) struck() (ids []barnraise.ServerID) {
	for _, v := range o.asked {
		if v.Outcome == client.OutcomeStruck {
			ids = append(ids, v.Server)
		}
	}
	return ids
}

// call makes a verified call and counts it.
func (s *story) call(ctx context.Context, c chapter) (outcome, error) {
	var o outcome
	params, err := c.params(ctx)
	if err != nil {
		return o, err
	}
	answer, err := s.client.Call(ctx, c.service, c.method, []byte(params))
	var undecided *client.UndecidedError
	switch {
	case err == nil && answer.Error != nil:
		return o, answer.Error
	case err == nil:
		s.told.Answers++
		s.told.Requests += answer.Requests
		o = outcome{answer.Result, answer.Asked, answer.Evidence}
	case errors.As(err, &undecided) && undecided.Evidence != "":
		s.told.Requests += undecided.Requests
		o = outcome{nil, undecided.Asked, undecided.Evidence}
	default:
		return o, err
	}
	for _, server := range o.struck() {
		s.told.Convictions = append(s.told.Convictions, conviction{server, c.service, o.evidence})
	}
	return o, nil
}

// arrive brings a caller who knows nobody, and asks nobody beside those whom a verifier wants.
func (s *story) arrive(ctx context.Context) (err error) {
	if s.client, _, err = s.app.client(ctx, client.WithKeeper(s.evidence), client.WithPolicy(score.One)); err == nil {
		s.callers = append(s.callers, s.client)
	}
	return err
}

// ask asks, and wants the truth from one server alone.
func (s *story) ask(ctx context.Context, c chapter) (string, error) {
	if err := s.arrive(ctx); err != nil {
		return "", err
	}
	o, err := s.call(ctx, c)
	if err != nil {
		return "", err
	}
	words, err := c.read(o.result)
	switch {
	case err != nil:
		return "", err
	case !strings.Contains(words, c.truth):
		return "", fmt.Errorf("it says %q, without %q", words, c.truth)
	case len(o.asked) != 1:
		return "", fmt.Errorf("%d servers were asked, want one", len(o.asked))
	}
	s.truth[c.service] = o.result
	return fmt.Sprintf("asked %s\n%s\nasked 1 server, %s: its answer proves itself", c.asks, words, s.letter(o.asked[0].Server)), nil
}

// lie lets a server begin to lie, shows what somebody reads who believes it, and catches it by a verified call.
func (s *story) lie(ctx context.Context, c chapter) (string, error) {
	liar := s.net.Servers[c.liar]
	if err := s.net.Lie(ctx, liar.ID, c.service, c.lie); err != nil {
		return "", err
	}
	believed, err := s.believe(ctx, liar, c)
	if err != nil {
		return "", err
	}
	words, err := c.read(believed)
	if err != nil {
		return "", err
	}
	if truth, err := c.read(s.truth[c.service]); err != nil || words == truth {
		return "", errors.Join(errors.New("the turncoat does not lie"), err)
	}
	told := fmt.Sprintf("%s %s. Who believes it reads: %s", s.letter(liar.ID), c.lies, words)
	caught, err := s.catch(ctx, c, liar.ID)
	return told + "\n" + caught, err
}

// believe asks one server as any HTTP client would, and checks nothing.
func (s *story) believe(ctx context.Context, m devnet.Member, c chapter) (json.RawMessage, error) {
	params, err := c.params(ctx)
	if err != nil {
		return nil, err
	}
	request, err := jsonrpc.NewRequest(c.method, params)
	if err != nil {
		return nil, err
	}
	url := fmt.Sprintf("%s/v1/services/%d/1", m.URL, s.net.Network.Names[c.service])
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
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return nil, err
	}
	r, err := jsonrpc.ParseResponse(body, jsonrpc.WireID)
	return json.RawMessage(r.Result), err
}

// draws is how often a call is made until the liar is the one who is asked. Of three servers each is, in one call of nine at least.
const draws = 100

// catch calls until the liar is asked.
func (s *story) catch(ctx context.Context, c chapter, liar barnraise.ServerID) (string, error) {
	for range draws {
		o, err := s.call(ctx, c)
		if err != nil {
			return "", err
		}
		struck := o.struck()
		if o.result != nil && !bytes.Equal(o.result, s.truth[c.service]) {
			return "", errors.New("a verified call returned the lie")
		}
		if len(struck) == 0 {
			continue // the liar was not asked
		}
		if len(struck) != 1 || struck[0] != liar || o.asked[0].Server != liar {
			return "", fmt.Errorf("struck are %v, the liar is %d, asked were %v", struck, liar, o.asked)
		}
		after, err := s.after(ctx, c, liar)
		return fmt.Sprintf("%s\n%s\nevidence: %s", s.caught(c, o), after, o.evidence), err
	}
	return "", fmt.Errorf("in %d calls the liar was not asked first once", draws)
}

// caught says who was asked, what came of it, and how the call ended.
func (s *story) caught(c chapter, o outcome) string {
	var asked []string
	for _, v := range o.asked {
		asked = append(asked, fmt.Sprintf("%s %s (%s)", s.letter(v.Server), v.Outcome, v.Role))
	}
	end := "the call goes on to another server and returns the truth"
	if o.result == nil {
		end = "nobody else runs " + c.service + ", so the call fails rather than return the lie"
	}
	return fmt.Sprintf("verified, its one answer is enough to catch it; %s: %s", end, strings.Join(asked, ", "))
}

// after makes the liar tell the truth again, and shows what its word is worth now.
func (s *story) after(ctx context.Context, c chapter, liar barnraise.ServerID) (string, error) {
	const calls = 5
	words := fmt.Sprintf("%s's word has lost its weight: in %d more calls it was never asked first", s.letter(liar), calls)
	if fixedPoint[c.service] == 1 {
		words = fmt.Sprintf("once %s tells the truth again its answers are taken, in %d calls: not for its word, but for their proof", s.letter(liar), calls)
		if err := s.net.Lie(ctx, liar, c.service, nil); err != nil {
			return "", err
		}
	}
	for range calls {
		o, err := s.call(ctx, c)
		if err != nil {
			return "", err
		}
		if !bytes.Equal(o.result, s.truth[c.service]) || o.asked[0].Server == liar && fixedPoint[c.service] > 1 || slices.Contains(o.struck(), liar) {
			return "", fmt.Errorf("after %s was caught: asked %v", s.letter(liar), o.asked)
		}
	}
	return words, s.net.Lie(ctx, liar, c.service, nil)
}
