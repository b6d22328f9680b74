package client

import (
	"barnraise"
	"barnraise/score"
)

const contradictsItself = "the image contradicts itself on this request"

// quarantined request: nobody is struck for it, no answer to it is accepted, for ten epochs (protocol 7.4).
type quarantinedRequest struct {
	image   barnraise.Digest
	request barnraise.Digest
}

func (c *Client) quarantine(r barnraise.Revision, request []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.contradictory[quarantinedRequest{r.Image, barnraise.Sum(request)}] = c.epoch()
}

func (c *Client) quarantined(r barnraise.Revision, request []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.contradictory) == 0 {
		return false
	}
	since, ok := c.contradictory[quarantinedRequest{r.Image, barnraise.Sum(request)}]
	return ok && since+score.CleanEpochs > c.epoch()
}
