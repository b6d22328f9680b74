package budget

import (
	"math"

	"barnraise/conformance"
	"barnraise/manifest"
)

// A unit of capacity is so much memory, or so much of a core, whichever a service takes more of.
const (
	unitMemory manifest.Bytes = 256 << 20
	unitCores                 = 0.25
)

// mostUnits is the most that a service can cost.
const mostUnits = 1 << 20

// Cost is what hosting a service costs, in units: ceil(max(memory / 256 MiB, cores / 0.25)). Memory is the most that the gate
// has measured, and the manifest's limit where it has not. Cores are what the mean call of the dearest method takes when it is
// asked once a second, or the load that was measured here, where that is more: so a service that is asked for much weighs what
// it costs. It never costs less than its author says that it does. No report is one that says nothing.
func Cost(r conformance.Report, m manifest.Manifest, load float64) uint32 {
	var memory manifest.Bytes
	var cpu float64
	for _, method := range r.Methods {
		memory, cpu = max(memory, method.Memory), max(cpu, method.CPU)
	}
	if memory == 0 {
		memory = m.Limits.Memory
	}
	cores := max(cpu/1000, load)
	units := math.Ceil(max(float64(memory)/float64(unitMemory), cores/unitCores))
	if math.IsNaN(units) {
		units = mostUnits
	}
	return max(uint32(min(units, mostUnits)), min(m.Cost, mostUnits), 1)
}
