package wasm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"barnraise/runtime"
	"barnraise/wasm"
)

// worldOf is what a module sees of the surroundings. It fails with ErrCannot where they have something in them that no module
// can see.
func worldOf(a runtime.Surroundings) (w wasm.World, err error) {
	switch {
	case a.Clock < 0 || a.Tick < 0:
		err = errors.New("the clock of a wasm service begins at zero and cannot be behind or run backwards")
	case a.CPU != 0:
		err = errors.New("a wasm service runs on one core and sees no other")
	case a.Hostname != "":
		err = errors.New("a wasm service sees no host name")
	case a.First:
		err = errors.New("a wasm service sees no processes")
	case uint64(a.Memory) > wasm.MaxMemory:
		err = fmt.Errorf("a wasm service has at most %d bytes of memory", uint64(wasm.MaxMemory))
	}
	for v := range strings.Lines(a.Env) {
		v = strings.TrimSuffix(v, "\n")
		if strings.Index(v, "=") < 1 || strings.Contains(v, "\x00") {
			err = fmt.Errorf("environment variable %q is not written NAME=value", v)
		}
		w.Env = append(w.Env, v)
	}
	if err != nil {
		return wasm.World{}, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	w.Clock, w.Tick, w.Chance, w.Memory = uint64(a.Clock), uint64(a.Tick), a.Chance, uint64(a.Memory)
	return w, nil
}

// fits fails with ErrCannot where the surroundings have something in them that this kind of module has no use for.
func fits(a runtime.Surroundings, command bool) error {
	switch {
	case command && a.Shift > 0:
		return fmt.Errorf("%w: a command reads its request to where it likes", runtime.ErrCannot)
	case command && a.Reused:
		return fmt.Errorf("%w: a command ends with its call", runtime.ErrCannot)
	case uint64(a.Shift) > 1<<31-1:
		return fmt.Errorf("%w: a wasm service is asked for room for 2 GiB at most", runtime.ErrCannot)
	}
	return nil
}

// shift has the instance set memory aside, so that whatever comes into it later has another address. That it sets none aside
// is up to it.
func shift(ctx context.Context, one *wasm.Instance, a runtime.Surroundings) error {
	if a.Shift == 0 {
		return nil
	}
	_, err := one.Call(ctx, "alloc", uint64(a.Shift))
	return err
}
