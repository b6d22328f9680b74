package evidence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"barnraise"
)

// Bounds of one round of pulls.
const (
	hostsPulled  = 2               // of each service
	filesPulled  = 16              // in all
	bytesPulled  = 32 << 20        // in all
	serverPulled = 2 * time.Minute // that one server may take for all of it
)

// pulls asks hosts of what this server hosts for what they hold, about this server above all, again and again.
func (x *Exchange) pulls(ctx context.Context) {
	for {
		rest(ctx, x.Budget.Pull/2+time.Duration(x.Random(int(x.Budget.Pull/time.Second)+1))*time.Second)
		if ctx.Err() != nil {
			return
		}
		if err := x.Pull(ctx); err != nil && ctx.Err() == nil {
			x.Log.Debug("pull evidence", "err", err)
		}
	}
}

// round is what may still be pulled.
type pullRound struct {
	files int
	bytes int64
}

// Pull makes one round: of each service that runs here some hosts, drawn by chance, are asked for what is new. What they have waits
// to be looked at. It fails where a host did not answer, after the others were asked.
func (x *Exchange) Pull(ctx context.Context) error {
	s, err := x.Registry.Confirmed(ctx)
	if err != nil {
		return fmt.Errorf("read registry: %w", err)
	}
	if x.Self() == 0 {
		return errors.New("this server has not found itself in the registry yet")
	}
	round := pullRound{filesPulled, bytesPulled}
	var errs []error
	for _, id := range x.drawn(s) {
		asking, cancel := context.WithTimeout(ctx, serverPulled)
		if err := x.pullFrom(asking, s, id, &round); err != nil {
			errs = append(errs, fmt.Errorf("server %d: %w", id, err))
		}
		cancel()
	}
	return errors.Join(errs...)
}

// drawn are the hosts to ask, each once.
func (x *Exchange) drawn(s *barnraise.Snapshot) (ids []barnraise.ServerID) {
	for _, service := range x.Hosted() {
		hosts := slices.DeleteFunc(s.Hosts(service), func(v barnraise.ServerID) bool { return v == x.Self() || slices.Contains(ids, v) })
		for range min(hostsPulled, len(hosts)) {
			i := x.Random(len(hosts))
			ids = append(ids, hosts[i])
			hosts = slices.Delete(hosts, i, i+1)
		}
	}
	return ids
}

// pullFrom asks one server for its list, from where it ended last, and for what in it is new.
func (x *Exchange) pullFrom(ctx context.Context, s *barnraise.Snapshot, id barnraise.ServerID, round *pullRound) error {
	v, err := x.Judge.Meet(ctx, id)
	if err != nil {
		return err
	}
	x.mu.Lock()
	after := x.cursors[id]
	x.mu.Unlock()
	if after == "" {
		after = "0"
	}
	b, err := x.get(ctx, v, "?after="+after, barnraise.Digest{}, maxList)
	if err != nil {
		return err
	}
	l, err := parseEvidenceList(b)
	if err != nil {
		return err
	}
	for _, one := range l.Evidence {
		_, seen := x.seen(one.Evidence)
		if seen || !x.Serves(one.Service) {
			continue
		}
		if round.files == 0 || round.bytes < one.Size {
			return nil // the next round begins here again
		}
		round.files, round.bytes = round.files-1, round.bytes-one.Size
		if err := x.pullOne(ctx, s, v, one); err != nil {
			return err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cursors[id] = l.After
	return nil
}

// pullOne gets one file and has it wait. What is forged costs the server that served it.
func (x *Exchange) pullOne(ctx context.Context, s *barnraise.Snapshot, v barnraise.Server, one listedEvidence) error {
	body, err := x.get(ctx, v, "/"+one.Evidence.String(), one.Evidence, one.Size)
	if err != nil {
		return err
	}
	from := sender{v.ID, v.Operator.String()}
	e, err := x.checkOffer(ctx, body, s)
	if err == nil && barnraise.Sum(body) != one.Evidence {
		err = fmt.Errorf("it sent other evidence: %w", barnraise.ErrEvidence)
	}
	switch {
	case errors.Is(err, errUnconfirmed):
		return err
	case err != nil && ctx.Err() == nil:
		x.forged(from, err)
		return err
	case err != nil:
		return err
	}
	if !x.enqueue(&offer{evidence: e, name: one.Evidence, size: int64(len(body)), sender: from}) {
		return errors.New("too much evidence waits already")
	}
	return nil
}

// get asks a server with a pass, and reads at most so many bytes.
func (x *Exchange) get(ctx context.Context, v barnraise.Server, path string, evidence barnraise.Digest, most int64) ([]byte, error) {
	s, err := x.Registry.Confirmed(ctx)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(v.URL, "/")+"/v1/evidence"+path, nil)
	if err != nil {
		return nil, err
	}
	pass := barnraise.Pass{Registry: s.Registry, Server: x.Self(), URL: v.URL, Evidence: evidence, IssuedAt: x.Now().Unix()}
	req.Header.Set(PassHeader, pass.Sign(barnraise.TypePull, x.Key()))
	resp, err := x.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %.80q", resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("it sends more than %d bytes", most)
	}
	return b, err
}
