package main

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"barnraise/registry/evm"
)

// remedied adds to the error of a registry that refused what to do about it.
func remedied(err error) error {
	var refused *evm.Revert
	if !errors.As(err, &refused) {
		return err
	}
	hint := remedy(refused)
	if hint == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, hint)
}

// remedy says what whoever typed a command can do about what a contract refused, and nothing where it is one that this program
// does not know.
func remedy(r *evm.Revert) string {
	f := r.Fields
	switch r.Name {
	case "NoSuchRecord":
		return fmt.Sprintf("see: barnraise %ss list", r.Record)
	case "NotOwner", "NotAllowed", "NotOffered":
		return "name that account with `--account`"
	case "WrongStatus":
		return wrongStatus(r)
	case "DepositTooSmall":
		return fmt.Sprintf("add `--deposit %s`", amountIn(f["least"]))
	case "DepositTooLarge":
		return fmt.Sprintf("give no more than `--deposit %s`", amountIn(f["most"]))
	case "Locked":
		return "withdraw it then"
	case "PaymentRefused":
		return "that account is a contract: it must take payments"
	case "BadLength", "Missing", "NotAscending":
		return "change " + fieldFlag(f["field"])
	case "BadName":
		return "change `name` in service.yaml"
	case "NameTaken":
		return fmt.Sprintf("change `name` in service.yaml, or publish the next revision with: barnraise services publish '#%v' SERVICE.yaml", f["by"])
	case "TooSoon":
		return fmt.Sprintf("leave `--active-from` out, or say `--active-from %v`", f["earliest"])
	case "NoSuchRevision":
		return fmt.Sprintf("see: barnraise services show '#%v'", f["id"])
	case "AlreadyRevoked":
		return "there is nothing left to do"
	case "RewardsTooSoon":
		return "leave `--rewards` out until then"
	}
	return ""
}

// wrongStatus is what to do with a record that is leaving or gone.
func wrongStatus(r *evm.Revert) string {
	if fmt.Sprint(r.Fields["status"]) == "1" {
		return fmt.Sprintf("it has to leave first, with: barnraise %ss leave %v", r.Record, r.Fields["id"])
	}
	return fmt.Sprintf("register another with: barnraise %ss register", r.Record)
}

// fieldFlag is where somebody wrote what a contract calls a field.
func fieldFlag(field any) string {
	switch name := fmt.Sprint(field); name {
	case "url", "key", "offers", "rewards", "home", "image", "verifier", "reason":
		return "`--" + name + "`"
	case "ref":
		return "the name in `--image`"
	case "name", "manifest":
		return "it in service.yaml"
	}
	return "it"
}

// amountIn is a field with an amount of wei, in ether.
func amountIn(v any) string {
	wei, _ := v.(*big.Int)
	return inEther(wei)
}

// when is a time for people, and how long that is from now on.
func when(t, now time.Time) string {
	if left := t.Sub(now).Round(time.Minute); left > 0 {
		return fmt.Sprintf("%s, in %s", t.UTC().Format(time.RFC3339), left)
	}
	return t.UTC().Format(time.RFC3339)
}
