package client

import (
	"maps"

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
	c.memo.forget(r.Image, barnraise.Sum(request))
	if len(c.contradictory) >= maxQuarantined {
		c.release()
	}
	c.contradictory[quarantinedRequest{r.Image, barnraise.Sum(request)}] = c.epoch()
}

// maxQuarantined is how many requests are in quarantine: whoever plants an image that contradicts itself can name many.
const maxQuarantined = 1 << 14

// release makes room: of those whose time is over, and where that is not enough of any, for so many that it need not look again
// soon. The lock is held.
func (c *Client) release() {
	maps.DeleteFunc(c.contradictory, func(_ quarantinedRequest, since uint64) bool { return since+score.CleanEpochs <= c.epoch() })
	for k := range c.contradictory {
		if len(c.contradictory) < maxQuarantined-maxQuarantined/16 {
			return
		}
		delete(c.contradictory, k)
	}
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
