package client

import (
	"context"
	"time"

	"barnraise/score"
)

// Scores keeps what a caller thinks of servers where it survives the process. Several clients of one caller, also in several
// processes, use the same at once.
type Scores interface {
	// Tell tells what is kept the same things that a client was told, all of them or none, and returns a book of all that is
	// kept then, which becomes the client's. With nothing to tell it reads.
	Tell(ctx context.Context, told []score.Told) (*score.Book, error)
}

// WithScores has the client begin with the scores that are kept in s, and keep there what it learns: strikes before a call returns,
// the rest within some seconds and with Close. Where that fails the client goes on, and tries again; failed is told. Without it what
// a client thinks of servers ends with it. Use it for one network each: ids mean something in one registry alone. A call with a
// strike waits for s, ten seconds at most. failed may ask the client, and must not close it.
func WithScores(s Scores, failed func(error)) Option {
	return func(c *Client) { c.scores, c.scoresFailed = s, failed }
}

// How often scores are kept where no strike hurries, and how long that may take: a call with a strike waits for it.
const (
	keptEvery  = 5 * time.Second
	keptWithin = 5 * time.Second
)

// restoreScores begins with what is kept.
func (c *Client) restoreScores(ctx context.Context) error {
	if c.scores == nil {
		return nil
	}
	b, err := c.scores.Tell(ctx, nil)
	if err != nil {
		return err
	}
	c.book = *b
	c.book.Record()
	go c.keepScoresAgain()
	return nil
}

// keepScoresAgain keeps scores again and again, until the client ends.
func (c *Client) keepScoresAgain() {
	t := time.NewTicker(keptEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			c.keepScores()
		case <-c.life.Done():
			return
		}
	}
}

// keepScores keeps what is new in the book, and learns what others have seen. What could not be kept is kept the next time.
func (c *Client) keepScores() {
	if c.scores == nil {
		return
	}
	c.keeping.Lock()
	defer c.keeping.Unlock()
	c.mu.Lock()
	told := c.book.Told()
	c.mu.Unlock()
	if len(told) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), keptWithin) // also when the client has ended
	defer cancel()
	b, err := c.scores.Tell(ctx, told)
	c.keptScores(told, b, err)
	if err != nil && c.scoresFailed != nil {
		c.scoresFailed(err)
	}
}

// keptScores goes on with the book of what is kept, and what came since it was told.
func (c *Client) keptScores(told []score.Told, b *score.Book, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.book.Untold(told)
		return
	}
	since, report := c.book.Told(), c.book.Report
	c.book = *b
	c.book.Record()
	for _, v := range since {
		v.To(&c.book)
	}
	c.book.Report = report // it was told of these before
}
