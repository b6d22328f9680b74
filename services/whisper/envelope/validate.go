package envelope

// Reason says why a node does not take an envelope.
type Reason string

// The reasons, in the order in which [Profile.Check] names them.
const (
	ZeroTTL      Reason = "ttl_zero"          // its work could not be measured
	BeforeTTL    Reason = "expiry_before_ttl" // it was sent before 1970
	FromFuture   Reason = "from_future"       // it was sent later than now, also where clocks differ as they may
	Expired      Reason = "expired"
	VeryOld      Reason = "very_old" // and so long ago that geth no longer forgives who sent it
	TooLarge     Reason = "too_large"
	TooLittlePoW Reason = "low_pow"
)

// Rules are a node's own.
type Rules struct {
	Now       uint32
	Allowance uint32  // seconds by which clocks may differ; twice as many are forgiven to who sends what has expired
	MaxSize   *uint32 // compared with [Profile.Length]
	MinPoW    *PoW
}

// Check says what is wrong with an envelope that has so many zero bits, and nothing where nothing is. In order of time geth
// stops at the first of these and names no other.
func (p Profile) Check(e Envelope, zeros int, r Rules) (wrong []Reason) {
	now, expiry, sent := int64(r.Now), int64(e.Expiry), int64(e.Expiry)-int64(e.TTL)
	for _, c := range []struct {
		holds  bool
		reason Reason
	}{
		{e.TTL == 0, ZeroTTL},
		{sent < 0, BeforeTTL},
		{sent > now+int64(r.Allowance), FromFuture},
		{e.Expired(r.Now), Expired},
		{expiry+2*int64(r.Allowance) < now, VeryOld},
		{r.MaxSize != nil && uint64(p.Length(e)) > uint64(*r.MaxSize), TooLarge},
		{r.MinPoW != nil && zeros < r.MinPoW.Need(p.Size(e), p.lifetime(e, r.Now)), TooLittlePoW},
	} {
		if c.holds {
			wrong = append(wrong, c.reason)
		}
	}
	return wrong
}

// Expired says whether the envelope's time is over.
func (e Envelope) Expired(now uint32) bool { return e.Expiry < now }

// lifetime is the time that an envelope's work is measured by. Geth adds to it what an envelope lives longer because it
// comes from the future, and a second for the way.
func (p Profile) lifetime(e Envelope, now uint32) uint64 {
	if sent := int64(e.Expiry) - int64(e.TTL); p == Geth6 && sent > int64(now) {
		return uint64(int64(e.TTL) + sent - int64(now) + 1)
	}
	return uint64(e.TTL)
}
