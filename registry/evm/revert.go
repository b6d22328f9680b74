package evm

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// maxRevert is the longest reason of a contract that is decoded, in bytes.
const maxRevert = 4 << 10

// Revert is the error for a call that a registry contract refused. Its text says why, in words.
type Revert struct {
	Name   string         // of the contract's error, such as "RewardsTooSoon"
	Fields map[string]any // its fields by the names that they have there, such as "earliest", unchecked
	Record string         // "service" or "server"
}

// Error says what the contract said.
func (r *Revert) Error() string {
	f := r.Fields
	switch r.Name {
	case "NoSuchRecord":
		return fmt.Sprintf("there is no %s %v", r.Record, f["id"])
	case "NotOwner":
		return fmt.Sprintf("%s %v belongs to %s, only that account may do this", r.Record, f["id"], account(f["owner"]))
	case "NotAllowed":
		return fmt.Sprintf("only the owner %s and the delegate %s of %s %v may do this",
			account(f["owner"]), account(f["delegate"]), r.Record, f["id"])
	case "NotOffered":
		return fmt.Sprintf("%s %v is offered to %s, only that account can accept it", r.Record, f["id"], account(f["to"]))
	case "WrongStatus":
		status, _ := f["status"].(uint8)
		if barnraise.Status(status) == barnraise.StatusActive {
			return fmt.Sprintf("%s %v is active, and has not left", r.Record, f["id"])
		}
		return fmt.Sprintf("%s %v is %s, and does not take this any more", r.Record, f["id"], barnraise.Status(status))
	case "DepositTooSmall":
		return fmt.Sprintf("this registry asks a deposit of %s, you sent %s", amount(f["least"]), amount(f["sent"]))
	case "DepositTooLarge":
		return fmt.Sprintf("this registry takes a deposit of at most %s, this would make %s", amount(f["most"]), amount(f["total"]))
	case "Locked":
		at, _ := f["unlockAt"].(uint64)
		return fmt.Sprintf("the deposit of %s %v is locked until %s", r.Record, f["id"], unixTime(at))
	case "PaymentRefused":
		return fmt.Sprintf("the account %s does not accept the deposit of %s", account(f["to"]), amount(f["amount"]))
	case "BadLength":
		return fmt.Sprintf("%s has a length of %v, want %v to %v", text(f["field"]), f["length"], f["least"], f["most"])
	case "Missing":
		return fmt.Sprintf("%s must not be zero", text(f["field"]))
	case "BadName":
		return fmt.Sprintf("a name has a-z, 0-9 and inner hyphens only, not what is at position %v", f["position"])
	case "NameTaken":
		return fmt.Sprintf("%s has a service of that name already, #%v", account(f["owner"]), f["by"])
	case "TooSoon":
		return fmt.Sprintf("a revision can be active from block %v at the earliest: hosts and users must prepare", f["earliest"])
	case "NoSuchRevision":
		return fmt.Sprintf("service #%v has no revision %v, the newest is %v", f["id"], f["number"], f["newest"])
	case "AlreadyRevoked":
		return fmt.Sprintf("revision %v of service #%v is revoked already", f["number"], f["id"])
	case "NotAscending":
		return fmt.Sprintf("%s must be ids in ascending order, each once; the one at position %v is not",
			text(f["field"]), f["position"])
	case "RewardsTooSoon":
		return fmt.Sprintf("this server can change its rewards again from block %v on", f["earliest"])
	}
	return fmt.Sprintf("the contract refuses with %s", r.Name)
}

// explain makes a [Revert] of an error in which a contract's reason stands, and leaves others as they are.
func (c contracts) explain(to *common.Address, err error) error {
	var withData rpc.DataError
	if to == nil || !errors.As(err, &withData) {
		return err
	}
	data, _ := withData.ErrorData().(string)
	raw, bad := hexutil.Decode(data)
	if bad != nil || len(raw) < 4 || len(raw) > maxRevert {
		return err
	}
	r := &Revert{Record: "service"}
	contract := c.servicesABI
	if *to == c.servers {
		contract, r.Record = c.serversABI, "server"
	}
	if !r.decode(contract, raw) {
		return err
	}
	return r
}

// decode reads the reason, and reports whether it is one that the contract knows.
func (r *Revert) decode(contract *abi.ABI, raw []byte) bool {
	e, err := contract.ErrorByID([4]byte(raw))
	if err != nil {
		return false
	}
	r.Name, r.Fields = e.Name, map[string]any{}
	return e.Inputs.UnpackIntoMap(r.Fields, raw[4:]) == nil
}

// text is one that an endpoint gave.
func text(v any) string {
	s, _ := v.(string)
	return registry.Printable(s)
}

func account(v any) string {
	a, _ := v.(common.Address)
	if a == (common.Address{}) {
		return "(nobody)"
	}
	return registry.Checksum(barnraise.Address(a))
}

func amount(v any) string {
	wei, _ := v.(*big.Int)
	return ether(wei)
}

func unixTime(seconds uint64) string {
	return time.Unix(int64(min(seconds, 1<<40)), 0).UTC().Format(time.RFC3339)
}
