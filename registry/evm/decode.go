package evm

import (
	"fmt"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/contracts/servers"
	"barnraise/registry/contracts/services"

	"github.com/ethereum/go-ethereum/core/types"
)

// The most that a log of the contracts can have. It is checked before anything is decoded: the longest true one, with full
// lists, has less than eleven thousand bytes of data.
const (
	maxLogData = 32 << 10
	maxTopics  = 4
)

// decode makes an event of a log of one of the two contracts. It fails with [registry.ErrEvents] for all that they would not
// have written.
func (c contracts) decode(l *types.Log) (registry.Event, error) {
	if len(l.Topics) == 0 || len(l.Topics) > maxTopics || len(l.Data) > maxLogData {
		return nil, fmt.Errorf("decode log %d of block %d: %d topics and %d bytes: %w",
			l.Index, l.BlockNumber, len(l.Topics), len(l.Data), registry.ErrEvents)
	}
	var event registry.Event
	var err error
	switch l.Address {
	case c.services:
		event, err = c.decodeService(l)
	case c.servers:
		event, err = c.decodeServer(l)
	default:
		err = fmt.Errorf("of contract %s, which was not asked for", l.Address)
	}
	if err != nil {
		return nil, fmt.Errorf("decode log %d of block %d: %w: %w", l.Index, l.BlockNumber, registry.ErrEvents, err)
	}
	return event, nil
}

func (c contracts) decodeService(l *types.Log) (registry.Event, error) {
	event, err := c.servicesABI.EventByID(l.Topics[0])
	if err != nil {
		return nil, err
	}
	if len(l.Data) == 0 && len(event.Inputs.NonIndexed()) > 0 {
		return nil, fmt.Errorf("%s without data", event.Name) // the bindings would leave its fields unset
	}
	switch event.Name {
	case services.RegistryServiceRegisteredEventName:
		return as(l, c.service.UnpackServiceRegisteredEvent, func(e *services.RegistryServiceRegistered) registry.Event {
			return registry.ServiceRegistered{ID: e.Id, Owner: barnraise.Address(e.Owner), Name: e.Name, Deposit: e.Deposit}
		})
	case services.RegistryRevisionPublishedEventName:
		return as(l, c.service.UnpackRevisionPublishedEvent, func(e *services.RegistryRevisionPublished) registry.Event {
			return registry.RevisionPublished{
				ID: e.Id, Number: e.Number, Image: e.Image, Reference: e.Ref, Verifier: e.Verifier, Manifest: e.Manifest,
				Home: e.Home, ActiveFrom: e.ActiveFrom,
			}
		})
	case services.RegistryRevisionRevokedEventName:
		return as(l, c.service.UnpackRevisionRevokedEvent, func(e *services.RegistryRevisionRevoked) registry.Event {
			return registry.RevisionRevoked{ID: e.Id, Number: e.Number, Reason: e.Reason}
		})
	}
	return c.decodeCommon(l, event.Name)
}

func (c contracts) decodeServer(l *types.Log) (registry.Event, error) {
	event, err := c.serversABI.EventByID(l.Topics[0])
	if err != nil {
		return nil, err
	}
	if len(l.Data) == 0 && len(event.Inputs.NonIndexed()) > 0 {
		return nil, fmt.Errorf("%s without data", event.Name)
	}
	switch event.Name {
	case servers.RegistryServerRegisteredEventName:
		return as(l, c.server.UnpackServerRegisteredEvent, func(e *servers.RegistryServerRegistered) registry.Event {
			return registry.ServerRegistered{ID: e.Id, Owner: barnraise.Address(e.Owner), Deposit: e.Deposit}
		})
	case servers.RegistryUrlSetEventName:
		return as(l, c.server.UnpackUrlSetEvent, func(e *servers.RegistryUrlSet) registry.Event {
			return registry.URLSet{ID: e.Id, URL: e.Url}
		})
	case servers.RegistryKeyRotatedEventName:
		return as(l, c.server.UnpackKeyRotatedEvent, func(e *servers.RegistryKeyRotated) registry.Event {
			return registry.KeyRotated{ID: e.Id, Key: e.Key}
		})
	case servers.RegistryListsSetEventName:
		return as(l, c.server.UnpackListsSetEvent, func(e *servers.RegistryListsSet) registry.Event {
			return registry.ListsSet{ID: e.Id, Offers: serviceIDs(e.Offers), Rewards: serviceIDs(e.Rewards), Capacity: e.Capacity}
		})
	}
	return c.decodeCommon(l, event.Name)
}

// decodeCommon takes the events that both contracts have; they are written alike, so one binding reads both.
func (c contracts) decodeCommon(l *types.Log, name string) (registry.Event, error) {
	switch name {
	case services.RegistryOwnershipOfferedEventName:
		return as(l, c.service.UnpackOwnershipOfferedEvent, func(e *services.RegistryOwnershipOffered) registry.Event {
			return registry.OwnershipOffered{ID: e.Id, To: barnraise.Address(e.To)}
		})
	case services.RegistryOwnershipTransferredEventName:
		return as(l, c.service.UnpackOwnershipTransferredEvent, func(e *services.RegistryOwnershipTransferred) registry.Event {
			return registry.OwnershipTransferred{ID: e.Id, From: barnraise.Address(e.From), To: barnraise.Address(e.To)}
		})
	case services.RegistryDelegateSetEventName:
		return as(l, c.service.UnpackDelegateSetEvent, func(e *services.RegistryDelegateSet) registry.Event {
			return registry.DelegateSet{ID: e.Id, Delegate: barnraise.Address(e.Delegate)}
		})
	case services.RegistryDepositAddedEventName:
		return as(l, c.service.UnpackDepositAddedEvent, func(e *services.RegistryDepositAdded) registry.Event {
			return registry.DepositAdded{ID: e.Id, Deposit: e.Deposit}
		})
	case services.RegistryUnregisteredEventName:
		return as(l, c.service.UnpackUnregisteredEvent, func(e *services.RegistryUnregistered) registry.Event {
			return registry.Unregistered{ID: e.Id, UnlockAt: e.UnlockAt}
		})
	case services.RegistryWithdrawnEventName:
		return as(l, c.service.UnpackWithdrawnEvent, func(e *services.RegistryWithdrawn) registry.Event {
			return registry.Withdrawn{ID: e.Id, To: barnraise.Address(e.To), Amount: e.Amount}
		})
	}
	return nil, fmt.Errorf("unexpected event %s", name)
}

// as unpacks a log and makes an event of it.
func as[B any](l *types.Log, unpack func(*types.Log) (*B, error), event func(*B) registry.Event) (registry.Event, error) {
	b, err := unpack(l)
	if err != nil {
		return nil, err
	}
	return event(b), nil
}

func serviceIDs(ids []uint32) []barnraise.ServiceID {
	list := make([]barnraise.ServiceID, len(ids))
	for i, id := range ids {
		list[i] = barnraise.ServiceID(id)
	}
	return list
}

func numbers(ids []barnraise.ServiceID) []uint32 {
	list := make([]uint32, len(ids))
	for i, id := range ids {
		list[i] = uint32(id)
	}
	return list
}
