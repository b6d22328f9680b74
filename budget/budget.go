// Package budget says what services may use of a machine, and counts what they use: requests, bytes out, processor time and
// disk, for each service and for all together (protocol 9.5).
//
// A share of what all may use together is kept for the operator's own services. So whoever calls the services of others can use
// those up, and never what is kept. Time comes in as values; only [Disk] and [File] look at the machine.
package budget

import (
	"fmt"
	"runtime"

	"barnraise/manifest"
)

// Limits are the budgets of server.yaml: what services may use, all together.
type Limits struct {
	Memory   manifest.Bytes `json:"memory"`   // of the process that runs services; three quarters of the machine's where zero
	Requests float64        `json:"requests"` // a second, over time
	Burst    int            `json:"burst"`    // requests that may come at once after a pause
	Egress   manifest.Bytes `json:"egress"`   // bytes out in a day (UTC): answers, and images and content that others fetch
	CPU      float64        `json:"cpu"`      // cores, in the mean of some minutes
	Images   manifest.Bytes `json:"images"`   // on disk
	Content  manifest.Bytes `json:"content"`  // on disk: manifests and verifiers
	Evidence manifest.Bytes `json:"evidence"` // on disk
	Reserve  float64        `json:"reserve"`  // share of the file system that stays free, whatever the budgets say
	Kept     float64        `json:"kept"`     // share of requests, egress and cpu that only own services use
	Each     Each           `json:"each"`
}

// Each is what one service may use.
type Each struct {
	Requests float64        `json:"requests"`
	Burst    int            `json:"burst"`
	Egress   manifest.Bytes `json:"egress"`
	CPU      float64        `json:"cpu"`
	Images   manifest.Bytes `json:"images"`
	Evidence manifest.Bytes `json:"evidence"`
}

// Default is what stands where server.yaml is silent. It is meant to be noticed by nobody but who is flooded.
func Default() Limits {
	cores := float64(runtime.NumCPU())
	return Limits{
		Requests: 10_000, Burst: 20_000, Egress: 200e9, CPU: cores,
		Images: 50 << 30, Content: 5 << 30, Evidence: 5 << 30, Reserve: 0.1, Kept: 0.25,
		Each: Each{Requests: 5000, Burst: 10_000, Egress: 50e9, CPU: cores, Images: 8 << 30, Evidence: 1 << 30},
	}
}

// OrDefault is the limits, or where none was set the default with their memory.
func (l Limits) OrDefault() Limits {
	if l == (Limits{Memory: l.Memory}) {
		memory := l.Memory
		l = Default()
		l.Memory = memory
	}
	return l
}

// Bounds of what may be set. More than these is a slip.
const (
	mostRequests = 1e7
	mostCores    = 1 << 12
	mostShare    = 0.9
)

// Check wants limits that can be kept. It fails naming the key and what is wanted.
func (l Limits) Check() error {
	for _, v := range []struct {
		key         string
		value       float64
		least, most float64
		unit        string
	}{
		{"requests", l.Requests, 0.001, mostRequests, "requests a second"},
		{"burst", float64(l.Burst), 1, mostRequests, "requests at once"},
		{"cpu", l.CPU, 0.01, mostCores, "cores"},
		{"reserve", l.Reserve, 0, mostShare, "as a share of the file system"},
		{"kept", l.Kept, 0, mostShare, "as a share of the budgets"},
		{"each: requests", l.Each.Requests, 0.001, mostRequests, "requests a second"},
		{"each: burst", float64(l.Each.Burst), 1, mostRequests, "requests at once"},
		{"each: cpu", l.Each.CPU, 0.01, mostCores, "cores"},
	} {
		if !(v.value >= v.least && v.value <= v.most) {
			return fmt.Errorf("%s: %v, want %v to %v %s", v.key, v.value, v.least, v.most, v.unit)
		}
	}
	return l.checkSizes()
}

func (l Limits) checkSizes() error {
	for _, v := range []struct {
		key   string
		value manifest.Bytes
	}{
		{"egress", l.Egress}, {"images", l.Images}, {"content", l.Content}, {"evidence", l.Evidence},
		{"each: egress", l.Each.Egress}, {"each: images", l.Each.Images}, {"each: evidence", l.Each.Evidence},
	} {
		if v.value < 1<<20 {
			return fmt.Errorf("%s: %s, want at least 1 MiB", v.key, v.value)
		}
	}
	return nil
}
