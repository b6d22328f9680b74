package main

import (
	"context"
	"fmt"
	"slices"

	"barnraise"
	"barnraise/barter"
	"barnraise/hosting"
	"barnraise/server"
	"barnraise/store"
)

// planOfServer says what the server of a configuration would plan now.
func (a *app) planOfServer(ctx context.Context, f planFlags) error {
	if f.snapshot != "" || f.self != "" || f.given("confirmed") {
		return fmt.Errorf("%w: --snapshot, --self and --confirmed are for servers of a snapshot: leave them out, or --config", errUsage)
	}
	return a.at(ctx, f.config, func(d *desk) error {
		v, err := d.look(ctx)
		if err != nil {
			return err
		}
		foresight, err := d.foresee(ctx, v)
		if err != nil {
			return err
		}
		if f.given("capacity") {
			foresight.Input.Capacity = f.capacity
		}
		r := newPlan(foresight.Input, f.explain)
		if err := d.fill(ctx, &r, foresight); err != nil {
			return err
		}
		if err := a.printPlan(r, namesOf(v.confirmed)); err != nil {
			return err
		}
		d.ask(r)
		return nil
	})
}

// fill adds what is known of a server's own plan beside the plan itself.
func (d *desk) fill(ctx context.Context, r *planResult, f server.Foresight) error {
	r.now, r.URL, r.Idle, r.Own, r.Hosting = d.now, d.config.URL, f.Input.Idle, f.Input.Own, hostings(f.Hosting)
	if !f.Next.IsZero() {
		r.Next = &f.Next
	}
	for i := range r.Actions {
		if v := &r.Actions[i]; v.Verb == barter.Start {
			word, why := f.Word(v.Service)
			v.Consent, v.Word = consentWord(word), why
		}
	}
	for i := range r.Services {
		v := &r.Services[i]
		v.Guessed = !v.Own && !f.Studied(v.Service)
	}
	for i := range r.Servers {
		if err := d.acquaint(ctx, &r.Servers[i], f); err != nil {
			return err
		}
	}
	return nil
}

// ask says what an operator can answer to what is proposed.
func (d *desk) ask(r planResult) {
	i := slices.IndexFunc(r.Actions, func(v plannedAction) bool { return v.verb() == proposed })
	if i >= 0 {
		id := uint32(r.Actions[i].Service)
		d.app.say("agree with:  barnraise plan approve %d --config %s\nrefuse with: barnraise takedown %d --config %s", id, d.file, id, d.file)
	}
}

// acquaint adds since when a server is known, and when it was looked at.
func (d *desk) acquaint(ctx context.Context, debt *plannedDebt, f server.Foresight) error {
	if epoch, seen := f.FirstSeen(debt.Server); seen {
		debt.FirstSeen = &epoch
	}
	for _, list := range []*[]barnraise.ServiceID{&debt.Confirmed, &debt.Claimed, &debt.Paid} {
		*list = append([]barnraise.ServiceID{}, *list...) // none is no null
	}
	offers := slices.Concat(debt.Confirmed, debt.Claimed)
	slices.Sort(offers)
	for _, id := range offers {
		l, err := d.looked(ctx, debt.Server, id, f)
		if err != nil {
			return err
		}
		debt.Looked = append(debt.Looked, l)
	}
	return nil
}

// looked says when a server was asked for a service last. What came of it may not count any more.
func (d *desk) looked(ctx context.Context, id barnraise.ServerID, service barnraise.ServiceID, f server.Foresight) (lookedResult, error) {
	l := lookedResult{Service: service, Standing: standingWord(f.Probes.Standing(f.Input.Epoch, id, service))}
	if epoch, known := f.Probes.Probed(id, service); known {
		l.Epoch = &epoch
	}
	list, err := d.store.Events(ctx, store.EventFilter{Server: id, Service: service, Kind: string(server.Probed), Limit: 1})
	if len(list) > 0 {
		l.At = &list[0].At
	}
	return l, err
}

// hostings lists what a server means to host for others.
func hostings(l hosting.Ledger) (list []hostedResult) {
	for _, e := range l.Entries {
		h := hostedResult{
			Service: e.Service, Phase: e.Phase, Cost: e.Cost, For: append([]barnraise.ServerID{}, e.For...), Since: e.Since, Reason: e.Reason,
		}
		if e.Phase == hosting.Hosting && !e.Absent.IsZero() {
			h.Absent = &e.Absent
		}
		list = append(list, h)
	}
	return list
}
