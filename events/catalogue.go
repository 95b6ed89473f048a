package events

import (
	"errors"
	"fmt"
	"sort"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Payload is the part of an event that says what happened. Every event has one
// Go type, used by pointer.
type Payload interface {
	// EventType is the name in the store.
	EventType() string
}

// hasPersonal is implemented by payloads with personal data.
type hasPersonal interface {
	personal() []*Personal // always the same fields in the same order
}

// upcaster turns the JSON of one version into that of the next.
type upcaster func(old jsontext.Value) (jsontext.Value, error)

type entry struct {
	version  int
	make     func() Payload
	upcastTo map[int]upcaster // by the version it makes: 2 turns version 1 into 2
}

// Catalogue knows every event by name and version. It is immutable and safe for
// concurrent use.
type Catalogue struct {
	entries map[string]entry
}

// NewCatalogue returns the catalogue of all events, after checking that it is
// whole: unique names, and an upcaster for every step from version 1 to the
// current one.
func NewCatalogue() (*Catalogue, error) {
	c := &Catalogue{entries: map[string]entry{}}
	var errs []error
	for _, e := range entries() {
		name := e.make().EventType()
		if _, ok := c.entries[name]; ok {
			errs = append(errs, fmt.Errorf("event %s is registered twice", name))
		}
		for v := 2; v <= e.version; v++ {
			if e.upcastTo[v] == nil {
				errs = append(errs, fmt.Errorf("event %s has no upcaster from version %d to %d", name, v-1, v))
			}
		}
		c.entries[name] = e
	}
	return c, errors.Join(errs...)
}

// Names returns the names of all events, sorted.
func (c *Catalogue) Names() []string {
	names := make([]string, 0, len(c.entries))
	for n := range c.entries {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Version returns the current schema version of an event, 0 for an unknown name.
func (c *Catalogue) Version(name string) int { return c.entries[name].version }

// payload decodes data of a given version, through the upcasters when it is old.
func (c *Catalogue) payload(name string, version int, data []byte) (Payload, error) {
	e, ok := c.entries[name]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrUnknownEvent, name)
	}
	if version < 1 || version > e.version {
		return nil, fmt.Errorf("%w: %s version %d, this program knows 1 to %d", ErrUnknownEvent, name, version, e.version)
	}
	value := jsontext.Value(data)
	for v := version + 1; v <= e.version; v++ {
		next, err := e.upcastTo[v](value)
		if err != nil {
			return nil, fmt.Errorf("upcast %s from version %d: %w", name, v-1, err)
		}
		value = next
	}
	p := e.make()
	if err := json.Unmarshal(value, p); err != nil {
		return nil, fmt.Errorf("decode %s version %d: %w", name, version, err)
	}
	return p, nil
}

// ErrUnknownEvent is returned for an event that this program's catalogue does
// not hold: it was written by a newer waybill, or by somebody else.
var ErrUnknownEvent = errors.New("unknown event")

func entries() []entry {
	return []entry{
		of[GroupCreated](1), of[OwnerAdded](1), of[GroupFieldEnabled](1), of[GroupFieldDisabled](1),
		of[CustomerCodeMapped](1), of[CustomerCodeUnmapped](1), of[VehicleAddedToGroup](1), of[GroupArchived](1), of[GroupRestored](1),
		of[UserAdded](1), of[AllGroupsAccessGranted](1), of[GroupAccessGranted](1), of[GroupAccessRevoked](1),
		of[UserPermissionsSet](1), of[UserInvited](1), of[UserInvitationAccepted](1), of[PasswordSet](1),
		of[UserBlocked](1), of[UserUnblocked](1),
		of[ClientAdded](1), of[DispatcherAssigned](1), of[ClientGroupLinked](1),
		of[DeliveryCreated](2, deliveryCreatedV2), of[DeliveryTagged](1), of[DeliveryUntagged](1),
		of[DeliveryAssigned](1), of[DeliveryDispatched](1), of[DeliveryCompleted](1), of[DeliveryFailed](1),
		of[OwnerRemoved](1), of[GroupRenamed](1), of[GroupMerged](1), of[TimezoneSet](1),
		of[VehicleRemovedFromGroup](1), of[GroupImportTemplateSet](1),
		of[UserInvitationResent](1), of[UserInvitationRevoked](1), of[UserInvitationExpired](1),
		of[UserInvitationAcceptanceRefused](1), of[PasswordResetRequested](1), of[UserRoleChanged](1),
		of[AllGroupsAccessRevoked](1), of[GroupAccessRequested](1), of[GroupAccessRequestApproved](1),
		of[GroupAccessRequestDenied](1), of[GroupAccessExpired](1), of[AccessReviewed](1), of[UserRemoved](1),
		of[ClientDetailsChanged](1), of[ClientAccountCreated](1), of[ClientNotified](1), of[ClientInvited](1),
		of[ClientInvitationResent](1), of[ClientInvitationRevoked](1), of[ClientInvitationExpired](1),
		of[ClientInvitationAccepted](1), of[ClientInvitationAcceptanceRefused](1), of[ClientInvitationDeclined](1),
		of[ClientApprovalGranted](1), of[ClientApprovalWithdrawn](1), of[DispatcherUnassigned](1),
		of[ClientRemoved](1), of[ClientReinstated](1),
		of[DeliveryChanged](1), of[DeliveryUnassigned](1), of[DeliveryGoodsReceived](1), of[DeliveryHeadingStarted](1),
		of[DeliveryArrived](1), of[DeliveryPartiallyCompleted](1), of[DeliveryPutOnHold](1), of[DeliveryReleased](1),
		of[DeliveryReturned](1), of[DeliveryCancelled](1), of[DeliveryReattempted](1), of[DeliveryEtaRevised](1),
		of[DeliveryOutcomeCorrected](1), of[DeliveryDeleted](1),
		of[KeyClaimed](1), of[KeyReleased](1), of[CreationAbandoned](1),
		of[SignedIn](1), of[SignInRefused](1), of[CommandRefused](1), of[FactsDropped](1),
	}
}

// of makes an entry; steps are the upcasters to version 2, 3 and so on.
func of[T any, P interface {
	*T
	Payload
}](version int, steps ...upcaster) entry {
	e := entry{version: version, make: func() Payload { return P(new(T)) }, upcastTo: map[int]upcaster{}}
	for i, s := range steps {
		e.upcastTo[i+2] = s
	}
	return e
}
